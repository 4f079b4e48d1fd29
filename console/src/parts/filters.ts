// SPDX-License-Identifier: Apache-2.0
/** Filters live in the URL: a link shows what its sender saw, and "back" takes a filter back. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Search } from '@/app/search';

export type FilterField = {
  name: string;
  label: string;
} & (
  | { kind: 'search' | 'text' }
  | { kind: 'one' | 'many'; options: { value: string; label: string }[] }
  /** Yes, no, or either. */
  | { kind: 'flag' }
  /** Days back, or from and until. `days`: the list knows `last_days` itself. */
  | { kind: 'period'; days: boolean }
);

/** What the fields say in the URL; what no option has is not taken. */
export function readFilters(search: Search, fields: readonly FilterField[]): Search {
  const found: Search = {};
  const take = (name: string, value: string | undefined) => {
    if (value) found[name] = value;
  };
  for (const field of fields) {
    const value = search[field.name];
    switch (field.kind) {
      case 'many': {
        const known = (value ?? '').split(',').filter((v) => field.options.some((o) => o.value === v));
        take(field.name, [...new Set(known)].join(','));
        break;
      }
      case 'one':
        take(field.name, field.options.some((o) => o.value === value) ? value : undefined);
        break;
      case 'flag':
        take(field.name, value === 'true' || value === 'false' ? value : undefined);
        break;
      case 'period':
        if (/^[1-9]\d{0,3}$/.test(search.last_days ?? '')) take('last_days', search.last_days);
        else {
          take('since', timeOrNone(search.since));
          take('until', timeOrNone(search.until));
        }
        break;
      default:
        take(field.name, value?.trim());
    }
  }
  return found;
}

function timeOrNone(text: string | undefined): string | undefined {
  return text && !Number.isNaN(Date.parse(text)) ? new Date(text).toISOString() : undefined;
}

/** Names in the URL that fields own. */
export function namesOf(fields: readonly FilterField[]): string[] {
  return fields.flatMap((f) => (f.kind === 'period' ? ['last_days', 'since', 'until'] : [f.name]));
}

const DAY_MS = 86_400_000;
const ROUND_MS = 300_000;

/** What the server is asked: lists as lists, days as a time where the list knows none. */
export function queryOf(values: Search, fields: readonly FilterField[], now = Date.now()): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  for (const field of fields) {
    if (field.kind === 'period') {
      const days = values.last_days;
      if (days && field.days) query.last_days = Number(days);
      // Rounded, or each render would ask something else.
      else if (days) query.since = new Date(Math.floor((now - Number(days) * DAY_MS) / ROUND_MS) * ROUND_MS).toISOString();
      if (values.since) query.since = values.since;
      if (values.until) query.until = values.until;
      continue;
    }
    const value = values[field.name];
    if (value === undefined) continue;
    if (field.kind === 'many') query[field.name] = value.split(',');
    else if (field.kind === 'flag') query[field.name] = value === 'true';
    else query[field.name] = value;
  }
  return query;
}

export interface Filters<Q = Record<string, unknown>> {
  fields: readonly FilterField[];
  values: Search;
  /** For `useList(path, { query: { ...filters.query, ...projectQuery } })`. */
  query: Partial<Q>;
  /** How many are on. */
  active: number;
  set: (change: Search) => void;
  /** Exactly these. */
  replace: (values: Search) => void;
  clear: () => void;
}

/** `useFilters<QueryOf<'/api/v1/alarms'>>(fields)` */
export function useFilters<Q = Record<string, unknown>>(fields: readonly FilterField[]): Filters<Q> {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const values = useMemo(() => readFilters(search, fields), [search, fields]);
  const query = useMemo(() => queryOf(values, fields) as Partial<Q>, [values, fields]);
  const write = (change: Search, replace: boolean) =>
    void navigate({ to: '.', search: (before: Search) => ({ ...before, ...change }), replace });
  const none: Search = Object.fromEntries(namesOf(fields).map((n) => [n, undefined]));
  return {
    fields,
    values,
    query,
    active: Object.keys(values).length,
    set: (change) => write(change, true),
    replace: (wanted) => write({ ...none, ...wanted }, false),
    clear: () => write(none, false),
  };
}
