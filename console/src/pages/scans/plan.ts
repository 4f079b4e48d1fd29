// SPDX-License-Identifier: Apache-2.0
/** Forms of scans and plans, as the server wants them. */
import type { Schema } from '@/api/types';

export type Settings = Schema<'ScanSettings'>;
export type Start = Schema<'ScanStart'>;

export const KINDS: readonly Schema<'ScanKind'>[] = ['quick', 'full', 'custom'];
export const FILE_TYPES: readonly Schema<'ScanFileType'>[] = ['executable', 'script', 'compressed', 'document', 'image', 'audio_video'];
export const STARTS: readonly Schema<'StartType'>[] = ['later', 'day', 'week', 'month'];

/** What the form holds. */
export interface Fields {
  name: string;
  project: string;
  kind: Schema<'ScanKind'>;
  where: 'all' | 'some';
  hosts: string[];
  groups: string[];
  file_types: Schema<'ScanFileType'>[];
  include: string[];
  exclude: string[];
  automatic: boolean;
  spread_minutes: number;
  start_type: Schema<'StartType'>;
  /** As `<input type="datetime-local">` has it. */
  at: string;
  /** As `<input type="time">` has it. */
  clock: string;
  weekday: number;
  monthday: number;
}

export const EMPTY: Fields = {
  name: '',
  project: '0',
  kind: 'quick',
  where: 'all',
  hosts: [],
  groups: [],
  file_types: [],
  include: [],
  exclude: [],
  automatic: false,
  spread_minutes: 10,
  start_type: 'day',
  at: '',
  clock: '02:00',
  weekday: 1,
  monthday: 1,
};

const two = (n: number) => String(n).padStart(2, '0');

export function settingsOf(f: Fields): Settings {
  const all = f.where === 'all';
  return {
    kind: f.kind,
    all_hosts: all,
    hosts: all ? [] : f.hosts,
    groups: all ? [] : f.groups,
    file_types: f.file_types,
    include: f.kind === 'custom' ? f.include : [],
    exclude: f.exclude,
    automatic: f.automatic,
    spread_minutes: f.spread_minutes,
  };
}

/** `offset`: minutes east of UTC, of whoever fills in the form. */
export function startOf(f: Fields, offset = -new Date().getTimezoneOffset()): Start {
  if (f.start_type === 'later') return { start_type: 'later', at: new Date(f.at).toISOString() };
  if (f.start_type === 'now') return { start_type: 'now' };
  const [hour = 0, minute = 0] = f.clock.split(':').map(Number);
  const date = f.start_type === 'week' ? f.weekday : f.start_type === 'month' ? f.monthday : null;
  return { start_type: f.start_type, hour, minute, timezone_offset: offset, ...(date === null ? {} : { date }) };
}

/** A plan as it is, to be changed. */
export function fieldsOf(p: Schema<'ScanPolicy'>): Fields {
  const { settings: s, start } = p;
  const at = start.at ? new Date(start.at) : null;
  const local = at ? new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : '';
  return {
    ...EMPTY,
    name: p.name,
    project: p.project,
    kind: s.kind,
    where: s.all_hosts ? 'all' : 'some',
    hosts: s.hosts ?? [],
    groups: s.groups ?? [],
    file_types: s.file_types ?? [],
    include: s.include ?? [],
    exclude: s.exclude ?? [],
    automatic: s.automatic ?? false,
    spread_minutes: s.spread_minutes ?? 10,
    start_type: start.start_type,
    at: local,
    clock: `${two(start.hour ?? 0)}:${two(start.minute ?? 0)}`,
    weekday: start.start_type === 'week' ? (start.date ?? 1) : 1,
    monthday: start.start_type === 'month' ? (start.date ?? 1) : 1,
  };
}

/** Whether a plan's clock is that of whoever reads it. */
export function isOwnZone(start: Start, offset = -new Date().getTimezoneOffset()): boolean {
  return start.timezone_offset === undefined || start.timezone_offset === null || start.timezone_offset === offset;
}

/** `UTC+02:00` */
export function zoneText(offset: number): string {
  const size = Math.abs(offset);
  return `UTC${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** A folder that the server takes. */
export function isFolder(path: string): boolean {
  return path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0');
}
