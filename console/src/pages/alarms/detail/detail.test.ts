// SPDX-License-Identifier: Apache-2.0
/** The line of time, and the scale. */
import { describe, expect, it } from 'vitest';
import { ratedBy, shareOf, thresholdsOf, USUAL } from './scale';
import { sinceText, storyOf } from './story';

type Full = Parameters<typeof storyOf>[0];

const full = {
  summary: { at: '2026-11-26T10:00:00.000Z', last: '2026-11-26T10:05:00.000Z', count: 3, origin: 'exec' },
  alarm: {
    timeline: [
      { at: '2026-11-26T10:00:00.020Z', action: 'kill', outcome: 'done', reason: '', target: '1234' },
      { at: '2026-11-26T10:00:00.000Z', action: 'deny', outcome: 'done', reason: '', target: '/x' },
    ],
    frozen_until: null,
    persistence: null,
  },
  history: [{ at: '2026-11-26T10:00:00.020Z', operate_type: 'isolate_and_kill', who: 'policy', remark: '' }],
  commands: [{ id: 'c1', verb: 'preview', ordered_by: 'ann', created_at: '2026-11-26T10:01:00Z', state: 'sent', reason: '' }],
} as unknown as Full;

describe('the line of time', () => {
  it('stands in the order of time, causes first', () => {
    expect(storyOf(full).map((m) => m.kind)).toEqual(['seen', 'action', 'action', 'handled', 'ordered', 'again']);
    const [, first] = storyOf(full);
    expect(first).toMatchObject({ action: 'deny' });
  });

  it('is there for an alarm that only the server knows', () => {
    const bare = { ...full, alarm: null, history: [], commands: [], summary: { ...full.summary, count: 1 } };
    expect(storyOf(bare).map((m) => m.kind)).toEqual(['seen']);
  });

  it('says how long after the first look', () => {
    expect(sinceText('2026-11-26T10:00:00.013Z', '2026-11-26T10:00:00Z')).toBe('+0.013 s');
    expect(sinceText('2026-11-26T10:02:00Z', '2026-11-26T10:00:00Z')).toBe('');
    expect(sinceText('2026-11-26T09:00:00Z', '2026-11-26T10:00:00Z')).toBe('');
  });
});

describe('thresholds', () => {
  it('are the usual ones, those set, those lowered, and never below the bounds', () => {
    expect(thresholdsOf(undefined, false, false)).toEqual(USUAL);
    expect(thresholdsOf({ high_threshold: 95, medium_threshold: 70 }, false, false)).toEqual({ high: 95, medium: 70 });
    expect(thresholdsOf(undefined, true, false)).toEqual({ high: 85, medium: 45 });
    expect(thresholdsOf({ protect_mode: 'equalization' }, true, false)).toEqual(USUAL);
    expect(thresholdsOf({ high_threshold: 81, medium_threshold: 31, protect_mode: 'high_detection' }, false, false)).toEqual({
      high: 80,
      medium: 30,
    });
    expect(thresholdsOf({ high_threshold: 100 }, true, true)).toEqual(USUAL);
  });

  it('rate high only what has a decisive evidence', () => {
    expect(ratedBy(99, USUAL, true)).toBe('high');
    expect(ratedBy(99, USUAL, false)).toBe('medium');
    expect(ratedBy(59, USUAL, true)).toBe('low');
  });

  it('give weights their share', () => {
    expect([shareOf(9), shareOf(-4.5), shareOf(20), shareOf(0)]).toEqual([100, 50, 100, 0]);
  });
});
