// SPDX-License-Identifier: Apache-2.0
/** What became of a program is never said to be more than it was. */
import { describe, expect, it } from 'vitest';
import type { AlarmRow } from '@/pages/alarms/handle/verbs';
import { fateBy, fateOf, isUnsure } from './fate';

const handled = { by: 'isolate_and_kill', who: 'policy', at: '2026-11-26T00:00:00Z', remark: '' };
const row = (decision: string, said: string, more: Partial<AlarmRow> = {}) =>
  ({ decision, title: `Miner XMRig ${said}: /opt/x frozen: /y (confidence 99)`, isolated: null, handled: null, ...more }) as AlarmRow;
const record = (action: string, outcome = 'done') => ({ action, outcome });

describe('what became of a program', () => {
  it('is told by the row where the row knows', () => {
    expect(fateOf(row('isolate_and_kill', 'isolated and killed', { isolated: 'i', handled }))).toBe('isolated');
    expect(fateOf(row('deny', 'refused'))).toBe('denied');
    expect(fateOf(row('alarm', 'found'))).toBe('alarmed');
  });

  it('is no restore while frozen, after a thaw or in a dry run', () => {
    expect(fateOf(row('isolate_and_kill', 'frozen'))).toBe('frozen');
    expect(fateOf(row('isolate_and_kill', 'thawed'))).toBe('thawed');
    expect(fateOf(row('isolate_and_kill', 'would have been isolated and killed'))).toBe('rehearsed');
    expect(fateOf(row('deny', 'would have been refused'))).toBe('rehearsed');
  });

  it('takes no word from a path', () => {
    expect(fateOf(row('alarm', 'found', { title: 'Miner found: /tmp/a would have been refused: /b (confidence 99)' }))).toBe('alarmed');
  });

  it('is told by the records where the row does not know', () => {
    const gone = row('isolate_and_kill', 'isolated and killed');
    expect(isUnsure(fateOf(gone))).toBe(true);
    expect(fateBy(gone, [record('isolate'), record('restore')])).toBe('restored');
    expect(fateBy(gone, [record('deny'), record('isolate', 'failed')])).toBe('failed');
    expect(fateBy(gone, [])).toBe('notIsolated');
    const back = row('isolate_and_kill', 'isolated and killed', { isolated: 'i' });
    expect(fateOf(back)).toBe('wasIsolated');
    expect(fateBy(back, [record('isolate'), record('restore', 'partial')])).toBe('restored');
    expect(fateBy(back, [record('isolate', 'partial')])).toBe('isolated');
    expect(fateBy(back, [record('isolate'), record('restore', 'refused')])).toBe('isolated');
  });
});
