// SPDX-License-Identifier: Apache-2.0
/** Which rows of a table are chosen. */
import { useState } from 'react';

export interface Selection<T> {
  ids: ReadonlySet<string>;
  chosen: T[];
  /** More were wanted than can be handled at once. */
  full: boolean;
  toggle: (id: string, range: boolean) => void;
  all: (on: boolean) => void;
  clear: () => void;
}

/** Adds or takes one, or all between the last one and this one; at most `most`. */
export function chosenAfter(
  before: ReadonlySet<string>,
  order: readonly string[],
  id: string,
  last: string | null,
  range: boolean,
  most: number,
): { ids: Set<string>; full: boolean } {
  const ids = new Set(before);
  const from = last === null ? -1 : order.indexOf(last);
  const to = order.indexOf(id);
  if (range && from >= 0 && to >= 0) {
    const on = !before.has(id);
    for (const one of order.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      if (on) ids.add(one);
      else ids.delete(one);
    }
  } else if (ids.has(id)) {
    ids.delete(id);
  } else {
    ids.add(id);
  }
  const full = ids.size > most;
  return { ids: full ? new Set([...ids].slice(0, most)) : ids, full };
}

export function useSelection<T>(rows: readonly T[], idOf: (row: T) => string, most: number): Selection<T> {
  const [state, setState] = useState<{ ids: ReadonlySet<string>; last: string | null; full: boolean }>({
    ids: new Set(),
    last: null,
    full: false,
  });
  const order = rows.map(idOf);
  // A row that went away meanwhile is chosen no more: nobody acts on what is not seen.
  const chosen = rows.filter((r) => state.ids.has(idOf(r)));
  const ids = new Set(chosen.map(idOf));
  return {
    ids,
    chosen,
    full: state.full,
    toggle: (id, range) => {
      const after = chosenAfter(ids, order, id, state.last, range, most);
      setState({ ids: after.ids, full: after.full, last: id });
    },
    all: (on) =>
      setState({ ids: new Set(on ? order.slice(0, most) : []), full: on && order.length > most, last: null }),
    clear: () => setState({ ids: new Set(), last: null, full: false }),
  };
}
