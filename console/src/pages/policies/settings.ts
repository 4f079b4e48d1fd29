// SPDX-License-Identifier: Apache-2.0
/** A policy group's settings as a form has them, and back. What is not set leaves the host's own in force. */
import type { Schema } from '@/api/types';

export type Settings = Schema<'PolicySettings'>;
type MalwareClass = NonNullable<Settings['automatic_classes']>[number];

export const CLASSES: readonly MalwareClass[] = [
  'malware', 'virus', 'worm', 'trojan', 'botnet', 'backdoor', 'rootkit', 'ransomware', 'hacktool', 'webshell', 'miner', 'reverseshell',
];

/** Least and most of each number, as the server takes them. */
export const BOUNDS = {
  high_threshold: [80, 100],
  medium_threshold: [30, 79],
  freeze_seconds: [0, 15],
  max_isolations_per_hour: [1, 100_000],
  max_kills_per_hour: [1, 100_000],
} as const;
export type NumberName = keyof typeof BOUNDS;

export const FLAGS = ['dry_run', 'test_programs', 'condemn_archives'] as const;
export type FlagName = (typeof FLAGS)[number];

export type Choice = 'own' | 'yes' | 'no';

export type Fields = Record<FlagName, Choice> &
  Record<NumberName, number | null> & {
    classes: 'own' | 'these';
    automatic_classes: MalwareClass[];
    protect_mode: 'own' | 'equalization' | 'high_detection';
    /** One a line. */
    web_roots: string;
    exclude: string;
  };

const choice = (value: boolean | null | undefined): Choice => (value === undefined || value === null ? 'own' : value ? 'yes' : 'no');

export function fieldsOf(s: Settings): Fields {
  return {
    classes: s.automatic_classes ? 'these' : 'own',
    automatic_classes: s.automatic_classes ?? [],
    protect_mode: s.protect_mode ?? 'own',
    high_threshold: s.high_threshold ?? null,
    medium_threshold: s.medium_threshold ?? null,
    freeze_seconds: s.freeze_seconds ?? null,
    max_isolations_per_hour: s.max_isolations_per_hour ?? null,
    max_kills_per_hour: s.max_kills_per_hour ?? null,
    dry_run: choice(s.dry_run),
    test_programs: choice(s.test_programs),
    condemn_archives: choice(s.condemn_archives),
    web_roots: (s.web_roots ?? []).join('\n'),
    exclude: (s.exclude ?? []).join('\n'),
  };
}

/** Lines that are not empty, each once. */
export function linesOf(text: string): string[] {
  return [...new Set(text.split('\n').map((line) => line.trim()).filter((line) => line !== ''))];
}

export function settingsOf(f: Fields): Settings {
  const s: Settings = {};
  if (f.classes === 'these') s.automatic_classes = f.automatic_classes;
  if (f.protect_mode !== 'own') s.protect_mode = f.protect_mode;
  for (const name of Object.keys(BOUNDS) as NumberName[]) {
    const value = f[name];
    if (typeof value === 'number') s[name] = value;
  }
  for (const name of FLAGS) if (f[name] !== 'own') s[name] = f[name] === 'yes';
  const [roots, exclude] = [linesOf(f.web_roots), linesOf(f.exclude)];
  if (roots.length) s.web_roots = roots;
  if (exclude.length) s.exclude = exclude;
  return s;
}

/** What is wrong with a list of folders: the first line that no host would take, or that there are too many. */
export function wrongPath(text: string, notAll = false): { line?: string; many?: true } | null {
  const lines = linesOf(text);
  if (lines.length > 200) return { many: true };
  const bad = lines.find((line) => !line.startsWith('/') || line.split('/').includes('..') || line.length > 4095 || (notAll && /^\/+$/.test(line)));
  return bad === undefined ? null : { line: bad };
}

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Names of the settings that differ. */
export function changed(before: Settings, after: Settings): (keyof Settings)[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Settings>;
  const empty = (v: unknown) => (Array.isArray(v) && v.length === 0 ? undefined : v);
  return [...names].filter((n) => {
    // An empty list of classes means none acts; an empty list of folders means nothing.
    const [a, b] = n === 'automatic_classes' ? [before[n], after[n]] : [empty(before[n]), empty(after[n])];
    return !same(a, b);
  });
}
