// SPDX-License-Identifier: Apache-2.0
/** Filters under a name, kept in this browser. */
import type { Search } from '@/app/search';

export interface SavedView {
  name: string;
  values: Search;
}

const KEY = 'lazaret.views.';
const MOST = 30;

/** Reads what is kept; what is not of our making is left out. */
export function parseViews(kept: string | null): SavedView[] {
  if (!kept) return [];
  try {
    const said: unknown = JSON.parse(kept);
    if (!Array.isArray(said)) return [];
    return said.flatMap((one: unknown) => {
      const { name, values } = (one ?? {}) as Partial<SavedView>;
      if (typeof name !== 'string' || name === '' || typeof values !== 'object' || values === null) return [];
      const texts = Object.entries(values).filter(([, v]) => typeof v === 'string');
      return [{ name, values: Object.fromEntries(texts) }];
    });
  } catch {
    return [];
  }
}

export function loadViews(list: string): SavedView[] {
  try {
    return parseViews(localStorage.getItem(KEY + list));
  } catch {
    return [];
  }
}

export function storeViews(list: string, views: SavedView[]): void {
  try {
    localStorage.setItem(KEY + list, JSON.stringify(views.slice(0, MOST)));
  } catch {
    // A browser that keeps nothing.
  }
}

/** With one more; one of the same name is replaced. */
export function withView(views: readonly SavedView[], one: SavedView): SavedView[] {
  return [one, ...views.filter((v) => v.name !== one.name)].slice(0, MOST);
}
