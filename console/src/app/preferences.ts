// SPDX-License-Identifier: Apache-2.0
/** What a person likes in this browser: language and theme. Kept in localStorage, shared by all parts. */
import { useSyncExternalStore } from 'react';
import { LANGUAGES, type Language } from './i18n';

export type ThemeChoice = 'light' | 'dark' | 'system';

export interface Preferences {
  language: Language;
  theme: ThemeChoice;
}

const KEY = 'lazaret.preferences';
const THEMES: readonly ThemeChoice[] = ['light', 'dark', 'system'];

function spoken(): Language {
  const first = typeof navigator === 'undefined' ? 'en' : navigator.language;
  return first.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/** Reads what is kept; what is not one of ours is not taken. */
export function parsePreferences(kept: string | null): Preferences {
  const found: Preferences = { language: spoken(), theme: 'system' };
  if (!kept) return found;
  try {
    const said = JSON.parse(kept) as Partial<Preferences>;
    if (LANGUAGES.includes(said.language as Language)) found.language = said.language as Language;
    if (THEMES.includes(said.theme as ThemeChoice)) found.theme = said.theme as ThemeChoice;
  } catch {
    // Somebody else's text under our name: as if there were none.
  }
  return found;
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

let current = parsePreferences(kept());
const listeners = new Set<() => void>();

export function preferences(): Preferences {
  return current;
}

export function setPreferences(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing: it holds until the page is closed.
  }
  listeners.forEach((l) => l());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

const DARK = '(prefers-color-scheme: dark)';

function subscribeDark(listener: () => void): () => void {
  const query = matchMedia(DARK);
  query.addEventListener('change', listener);
  return () => query.removeEventListener('change', listener);
}

/** Whether it is dark now, by choice or as the system is. */
export function useDark(): boolean {
  const system = useSyncExternalStore(subscribeDark, () => matchMedia(DARK).matches);
  const { theme } = usePreferences();
  return theme === 'system' ? system : theme === 'dark';
}
