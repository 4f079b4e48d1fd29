// SPDX-License-Identifier: Apache-2.0
/** The dashboard's sums. */
import { describe, expect, it } from 'vitest';
import type { Schema } from '@/api/types';
import { contentShares, daysFilled, riskiest } from './figures';

const alarm = (host: string, severity: string) =>
  ({ severity, host: { id: host, name: `n${host}`, importance: 'common', status: 'online' } }) as Schema<'AlarmItem'>;

describe('the dashboard', () => {
  it('has a bar for every day, over the end of a month too', () => {
    const now = Date.parse('2026-03-02T12:00:00Z');
    expect(daysFilled([{ day: '2026-03-01', count: 4 }, { day: '2020-01-01', count: 9 }], 4, now)).toEqual([
      { day: '2026-02-27', count: 0 },
      { day: '2026-02-28', count: 0 },
      { day: '2026-03-01', count: 4 },
      { day: '2026-03-02', count: 0 },
    ]);
  });

  it('puts one critical alarm before many high ones', () => {
    const alarms = [alarm('a', 'high'), alarm('a', 'high'), alarm('b', 'critical'), alarm('c', 'high')];
    expect(riskiest(alarms, 2).map((h) => [h.id, h.critical, h.high])).toEqual([
      ['b', 1, 0],
      ['a', 0, 2],
    ]);
  });

  it('counts versions, the most first', () => {
    const hosts = ['1', '2', '2'].map((content_version) => ({ content_version }) as Schema<'Host'>);
    expect(contentShares(hosts)).toEqual([
      { version: '2', hosts: 2 },
      { version: '1', hosts: 1 },
    ]);
  });
});
