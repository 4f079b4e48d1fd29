// SPDX-License-Identifier: Apache-2.0
/** Columns of a table, and which of them a person has chosen. */
import { useState, type ReactNode } from 'react';

export interface Column<T> {
  id: string;
  title: string;
  /** Least width in pixels. */
  width: number;
  /** Share of what is left; 0: stays at its width. */
  grow?: number;
  render: (row: T) => ReactNode;
  /** For exports; a column without it is not in them. */
  csv?: (row: T) => string | number | boolean | null | undefined;
  /** Not shown until somebody chooses it. */
  hidden?: boolean;
  align?: 'right';
}

const KEY = 'lazaret.columns.';

/** Reads a choice; columns that are gone are left out, all hidden is none chosen. */
export function parseColumns(kept: string | null, known: readonly { id: string; hidden?: boolean }[]): string[] {
  const usual = known.filter((c) => !c.hidden).map((c) => c.id);
  if (!kept) return usual;
  try {
    const said: unknown = JSON.parse(kept);
    if (!Array.isArray(said)) return usual;
    const ids = known.map((c) => c.id).filter((id) => said.includes(id));
    return ids.length > 0 ? ids : usual;
  } catch {
    return usual;
  }
}

export function useColumns<T>(table: string, columns: readonly Column<T>[]): {
  shown: Column<T>[];
  isShown: (id: string) => boolean;
  toggle: (id: string) => void;
  reset: () => void;
} {
  const [ids, setIds] = useState(() => {
    try {
      return parseColumns(localStorage.getItem(KEY + table), columns);
    } catch {
      return parseColumns(null, columns);
    }
  });
  const keep = (next: string[] | null) => {
    setIds(next ?? parseColumns(null, columns));
    try {
      if (next) localStorage.setItem(KEY + table, JSON.stringify(next));
      else localStorage.removeItem(KEY + table);
    } catch {
      // Not kept: the usual columns are back next time.
    }
  };
  return {
    shown: columns.filter((c) => ids.includes(c.id)),
    isShown: (id) => ids.includes(id),
    toggle: (id) => {
      const next = ids.includes(id) ? ids.filter((i) => i !== id) : [...ids, id];
      if (next.length > 0) keep(next);
    },
    reset: () => keep(null),
  };
}
