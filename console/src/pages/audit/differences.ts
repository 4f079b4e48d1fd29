// SPDX-License-Identifier: Apache-2.0
/** What differs between two JSON values, by path. */

export interface Difference {
  path: string;
  before: string;
  after: string;
}

const MOST = 200;
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const text = (v: unknown) => (v === undefined ? '-' : JSON.stringify(v));

/** Objects are compared member by member, everything else as a whole; two hundred at most. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((n) => differences(before[n], after[n], path ? `${path}.${n}` : n)).slice(0, MOST);
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before: text(before), after: text(after) }];
}
