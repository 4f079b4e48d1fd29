// SPDX-License-Identifier: Apache-2.0
/** A whitelist rule while it is written: what the server would refuse, what it sends, which alarms it fits. */
import type { Schema } from '@/api/types';

type AlarmRow = Schema<'AlarmItem'>;
export type Field = Schema<'WhitelistField'>;
export type Judge = Schema<'Judge'>;
export type Scope = Schema<'WhitelistScope'>;
export type Class = Schema<'Class'>;

export const FIELDS: readonly Field[] = ['hash', 'file_path', 'process_path', 'process_cmdline'];
export const JUDGES: readonly Judge[] = ['equal', 'contain', 'not_equal', 'not_contain'];
export const CLASSES: readonly Class[] = [
  'malware', 'virus', 'worm', 'trojan', 'botnet', 'backdoor', 'rootkit', 'ransomware', 'hacktool', 'webshell', 'miner', 'reverseshell',
];

export interface Rule {
  project: string;
  scope: Scope;
  scopeId: string;
  field: Field;
  judge: Judge;
  value: string;
  /** The exact bytes of `value` where they are no text; gone as soon as somebody edits it. */
  bytes: string | null;
  /** The content that a rule about a name is for. */
  sha256: string;
  /** Whatever the content. */
  anyContent: boolean;
  class: Class | '';
  description: string;
  owner: string;
  /** As the browser's field of date and time has it; empty: never ends. */
  expires: string;
  alarm: string | null;
}

export function emptyRule(project: string): Rule {
  return {
    project, scope: 'project', scopeId: '', field: 'hash', judge: 'equal', value: '', bytes: null, sha256: '',
    anyContent: false, class: '', description: '', owner: '', expires: '', alarm: null,
  };
}

/** File of the acting process. */
export type Exe = Pick<Schema<'ProcessFacts'>, 'exe' | 'exe_b64'>;

/** What the alarm has in a field. */
export function valueIn(alarm: AlarmRow, exe: Exe | undefined, field: Field): { value: string; bytes: string | null } {
  if (field === 'hash') return { value: alarm.sha256 ?? '', bytes: null };
  if (field === 'file_path') return { value: alarm.path ?? '', bytes: alarm.path_b64 ?? null };
  if (field === 'process_path') return { value: exe?.exe ?? '', bytes: exe?.exe_b64 ?? null };
  return { value: alarm.cmdline ?? '', bytes: null };
}

/** The narrowest one that lets the alarm be: its content. */
export function ruleOf(alarm: AlarmRow): Rule {
  const field: Field = alarm.sha256 ? 'hash' : 'file_path';
  return { ...emptyRule(alarm.project), sha256: alarm.sha256 ?? '', anyContent: !alarm.sha256, ...valueIn(alarm, undefined, field), field, alarm: alarm.id };
}

const HASH = /^[0-9a-f]{64}$/i;
const bytesOf = (text: string) => new TextEncoder().encode(text).length;

export type Wrong = 'value' | 'short' | 'long' | 'hash' | 'path' | 'sha256' | 'class' | 'description' | 'scope' | 'expires';

/** A rule about a name that holds for one content only. */
export function isBound(rule: Rule): boolean {
  return rule.field !== 'hash' && !rule.anyContent;
}

/** The first thing that is not right yet; the same rules as on the hosts. */
export function wrongOf(rule: Rule, now = Date.now()): Wrong | null {
  const negated = rule.judge.startsWith('not_');
  if (rule.value === '') return 'value';
  if (rule.field === 'hash' && !HASH.test(rule.value)) return 'hash';
  if (bytesOf(rule.value) > 4096) return 'long';
  if (rule.judge.endsWith('contain') && bytesOf(rule.value) < 3) return 'short';
  if (rule.field.endsWith('_path') && rule.judge.endsWith('equal') && !rule.value.startsWith('/')) return 'path';
  if (isBound(rule) && !HASH.test(rule.sha256)) return 'sha256';
  if (negated && rule.class === '') return 'class';
  if (rule.scope !== 'project' && rule.scopeId === '') return 'scope';
  if (rule.expires !== '' && !(Date.parse(rule.expires) > now)) return 'expires';
  if (rule.description.trim() === '') return 'description';
  return null;
}

export function bodyOf(rule: Rule): Schema<'NewEntry'> {
  const bound = isBound(rule);
  return {
    project: rule.project,
    scope: rule.scope,
    ...(rule.scope === 'project' ? {} : { scope_id: rule.scopeId }),
    field: rule.field,
    judge: rule.judge,
    ...(rule.bytes ? { value_b64: rule.bytes } : { value: rule.field === 'hash' ? rule.value.toLowerCase() : rule.value }),
    ...(bound ? { sha256: rule.sha256.toLowerCase() } : {}),
    any_content: rule.field !== 'hash' && rule.anyContent,
    ...(rule.class ? { class: rule.class } : {}),
    description: rule.description.trim(),
    ...(rule.owner.trim() ? { owner: rule.owner.trim() } : {}),
    ...(rule.expires ? { expires_at: new Date(rule.expires).toISOString() } : {}),
    ...(rule.alarm ? { alarm: rule.alarm } : {}),
  };
}

/** Whether an alarm would have been let be. Lists do not name the process's file: `null` where that decides. */
export function matches(rule: Rule, alarm: AlarmRow): boolean | null {
  if (alarm.class === null || alarm.class === undefined) return false;
  if (rule.class && alarm.class !== rule.class) return false;
  if (rule.scope === 'host' && alarm.host.id !== rule.scopeId) return false;
  if (rule.scope === 'group' && alarm.host.group !== rule.scopeId) return false;
  if (rule.field === 'hash') return alarm.sha256?.toLowerCase() === rule.value.toLowerCase();
  if (isBound(rule) && alarm.sha256?.toLowerCase() !== rule.sha256.toLowerCase()) return false;
  if (rule.field === 'process_path') return null;
  const has = rule.field === 'file_path' ? alarm.path : alarm.cmdline;
  if (!has) return false;
  if (rule.bytes && rule.field === 'file_path') {
    const equal = alarm.path_b64 === rule.bytes;
    return rule.judge === 'equal' ? equal : rule.judge === 'not_equal' ? !equal : null;
  }
  switch (rule.judge) {
    case 'equal':
      return has === rule.value;
    case 'not_equal':
      return has !== rule.value;
    case 'contain':
      return has.includes(rule.value);
    default:
      return !has.includes(rule.value);
  }
}
