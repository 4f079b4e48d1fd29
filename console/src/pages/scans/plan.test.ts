// SPDX-License-Identifier: Apache-2.0
/** Forms of scans, there and back. */
import { describe, expect, it } from 'vitest';
import type { Schema } from '@/api/types';
import { EMPTY, fieldsOf, isFolder, isOwnZone, settingsOf, startOf, zoneText } from './plan';

describe('a plan', () => {
  it('says either all servers or some', () => {
    const some = { ...EMPTY, where: 'some' as const, hosts: ['h'], groups: ['g'] };
    expect(settingsOf(some)).toMatchObject({ all_hosts: false, hosts: ['h'], groups: ['g'] });
    expect(settingsOf({ ...some, where: 'all' })).toMatchObject({ all_hosts: true, hosts: [], groups: [] });
  });

  it('names folders of a custom scan only', () => {
    const custom = { ...EMPTY, kind: 'custom' as const, include: ['/srv'], exclude: ['/srv/a'] };
    expect(settingsOf(custom)).toMatchObject({ include: ['/srv'], exclude: ['/srv/a'] });
    expect(settingsOf({ ...custom, kind: 'full' })).toMatchObject({ include: [], exclude: ['/srv/a'] });
  });

  it('begins by the clock of its author', () => {
    expect(startOf({ ...EMPTY, clock: '03:05' }, 120)).toEqual({ start_type: 'day', hour: 3, minute: 5, timezone_offset: 120 });
    expect(startOf({ ...EMPTY, start_type: 'week', weekday: 7 }, -60)).toMatchObject({ date: 7, timezone_offset: -60 });
    expect(startOf({ ...EMPTY, start_type: 'month', monthday: 28 }, 0)).toMatchObject({ date: 28 });
    expect(startOf({ ...EMPTY, start_type: 'later', at: '2026-11-26T10:00' }).at).toBe(new Date('2026-11-26T10:00').toISOString());
  });

  it('comes back as it was said', () => {
    const fields = { ...EMPTY, name: 'nightly', start_type: 'week' as const, weekday: 3, clock: '23:59', automatic: true, exclude: ['/mnt'] };
    const plan = { name: 'nightly', project: '0', settings: settingsOf(fields), start: startOf(fields) } as Schema<'ScanPolicy'>;
    expect(fieldsOf(plan)).toEqual(fields);
  });

  it('knows whose clock it is', () => {
    expect(isOwnZone({ start_type: 'day', timezone_offset: 330 }, 330)).toBe(true);
    expect(isOwnZone({ start_type: 'day', timezone_offset: 330 }, 0)).toBe(false);
    expect([zoneText(330), zoneText(-90), zoneText(0)]).toEqual(['UTC+05:30', 'UTC-01:30', 'UTC+00:00']);
  });

  it('takes absolute folders only', () => {
    expect(['/', '/a/b', '/a..b'].every(isFolder)).toBe(true);
    expect(['a', '', '/a/../b', '/a\0'].some(isFolder)).toBe(false);
  });
});
