// SPDX-License-Identifier: Apache-2.0
/** Parts of a policy group's settings as lines and choices of a form. */
import type { Schema } from '@/api/types';

export type PolicyGroup = Schema<'PolicyGroup'>;
export type Settings = Schema<'PolicySettings'>;

/** The server takes so many. */
export const MOST_FOLDERS = 200;

/** One folder a line; empty lines and repetitions are left out. */
export function foldersOf(text: string): string[] {
  return [...new Set(text.split('\n').map((l) => l.trim()).filter((l) => l !== ''))];
}

/** The first line that no folder is, or none. */
export function notAFolder(folders: readonly string[]): string | undefined {
  return folders.find((f) => !f.startsWith('/') || f.split('/').includes('..') || f.length > 4095);
}

/** What a choice of yes, no and "as the server's own configuration says" means for the API. */
export type Choice = 'own' | 'yes' | 'no';

export function choiceOf(value: boolean | null | undefined): Choice {
  return value === null || value === undefined ? 'own' : value ? 'yes' : 'no';
}

export function valueOf(choice: Choice | undefined): boolean | undefined {
  return choice === 'yes' ? true : choice === 'no' ? false : undefined;
}

/** With other values; what is undefined is not set any more. */
export function withSettings(settings: Settings, change: Partial<Settings>): Settings {
  const merged = { ...settings, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, v]) => v !== undefined && v !== null)) as Settings;
}
