// SPDX-License-Identifier: Apache-2.0
/** The ten verbs: which take which back, and why one cannot be used on an alarm as it stands. */
import type { Schema } from '@/api/types';

export type Verb = Schema<'Verb'>;
export type AlarmRow = Schema<'AlarmItem'>;

/** For alarms that nobody has handled. */
export const FORTH: readonly Verb[] = [
  'isolate_and_kill',
  'mark_as_handled',
  'ignore',
  'add_to_alarm_whitelist',
  'add_to_login_whitelist',
];

/** Takes back what stands in the same place above. */
export const BACK: readonly Verb[] = [
  'do_not_isolate_or_kill',
  'unhandle',
  'do_not_ignore',
  'remove_from_alarm_whitelist',
  'remove_from_login_whitelist',
];

/** What takes a verb back, in both directions. */
export function inverseOf(verb: Verb): Verb {
  const at = FORTH.indexOf(verb);
  return (at >= 0 ? BACK[at] : FORTH[BACK.indexOf(verb)]) ?? 'unhandle';
}

/** Changes files or ends processes on hosts. */
export function isDangerous(verb: Verb): boolean {
  return verb === 'isolate_and_kill';
}

type Standing = Pick<AlarmRow, 'operate_accept_list' | 'handle_status' | 'class'>;

export function fits(row: Standing, verb: Verb): boolean {
  return row.operate_accept_list.includes(verb);
}

/** Key below `alarms:unfit.`; null: it can be used. */
export type Unfit = 'login' | 'own' | 'handled' | 'unhandled' | 'other';

export function whyUnfit(row: Standing, verb: Verb): Unfit | null {
  if (fits(row, verb)) return null;
  if (verb.endsWith('_login_whitelist')) return 'login';
  const forth = FORTH.includes(verb);
  if (row.handle_status === 'handled') return forth ? 'handled' : 'other';
  return forth ? 'own' : 'unhandled';
}

/** The verb that a dialog begins with: the one that is asked for, else the first that all or some take. */
export function firstVerb(rows: readonly Standing[], wanted?: Verb): Verb {
  const all = [...FORTH, ...BACK];
  if (wanted && rows.some((r) => fits(r, wanted))) return wanted;
  // Nothing dangerous stands there before somebody chose it.
  const calm = all.filter((v) => !isDangerous(v));
  return calm.find((v) => rows.every((r) => fits(r, v))) ?? calm.find((v) => rows.some((r) => fits(r, v))) ?? 'mark_as_handled';
}
