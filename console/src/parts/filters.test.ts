// SPDX-License-Identifier: Apache-2.0
/** Filters to the URL and back. */
import { describe, expect, it } from 'vitest';
import { parseSearch, stringifySearch } from '@/app/search';
import { namesOf, queryOf, readFilters, type FilterField } from './filters';
import { parseViews, withView } from './views';

const options = ['high', 'low'].map((value) => ({ value, label: value }));
const FIELDS: FilterField[] = [
  { name: 'text', kind: 'search', label: '' },
  { name: 'severity', kind: 'many', label: '', options },
  { name: 'status', kind: 'one', label: '', options },
  { name: 'test', kind: 'flag', label: '' },
  { name: 'period', kind: 'period', label: '', days: true },
];

describe('the URL', () => {
  it('is read and written without loss', () => {
    const search = { text: 'a&b=c #%/报 "x"', severity: 'high,low', since: '2026-11-01T00:00:00.000Z' };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
  });

  it('stays readable', () => {
    expect(stringifySearch({ severity: 'high,low', project: undefined, text: '' })).toBe('?severity=high,low');
    expect(stringifySearch({})).toBe('');
  });

  it('joins what comes twice, and forgets what is empty', () => {
    expect(parseSearch('?a=1&a=2&b=')).toEqual({ a: '1,2' });
  });
});

describe('filters', () => {
  it('take what their options have, each once', () => {
    expect(readFilters({ severity: 'low,none,high,low', status: 'none', test: 'maybe' }, FIELDS)).toEqual({ severity: 'low,high' });
  });

  it('leave other parts of the URL alone', () => {
    expect(readFilters({ project: '7', tab: 'x', text: ' a ' }, FIELDS)).toEqual({ text: 'a' });
    expect(namesOf(FIELDS)).toEqual(['text', 'severity', 'status', 'test', 'last_days', 'since', 'until']);
  });

  it('take days before times, and only real ones', () => {
    expect(readFilters({ last_days: '7', since: '2026-01-01' }, FIELDS)).toEqual({ last_days: '7' });
    expect(readFilters({ last_days: '0', since: 'soon', until: '2026-01-01' }, FIELDS)).toEqual({ until: '2026-01-01T00:00:00.000Z' });
  });

  it('become what the server asks for', () => {
    expect(queryOf({ severity: 'high,low', test: 'false', text: 'x', last_days: '7' }, FIELDS)).toEqual({
      severity: ['high', 'low'],
      test: false,
      text: 'x',
      last_days: 7,
    });
  });

  it('become a time where a list knows no days, the same for a while', () => {
    const fields: FilterField[] = [{ name: 'p', kind: 'period', label: '', days: false }];
    const now = Date.parse('2026-11-08T10:02:03Z');
    const first = queryOf({ last_days: '1' }, fields, now);
    expect(first).toEqual({ since: '2026-11-07T10:00:00.000Z' });
    expect(queryOf({ last_days: '1' }, fields, now + 60_000)).toEqual(first);
  });
});

describe('saved views', () => {
  it('are read with what is not ours left out', () => {
    const kept = JSON.stringify([{ name: 'a', values: { text: 'x', n: 1 } }, null, { name: '' }, 'b', { values: {} }]);
    expect(parseViews(kept)).toEqual([{ name: 'a', values: { text: 'x' } }]);
    expect(parseViews('{')).toEqual([]);
    expect(parseViews('{}')).toEqual([]);
  });

  it('replace one of the same name', () => {
    const views = withView([{ name: 'a', values: {} }, { name: 'b', values: {} }], { name: 'b', values: { text: 'y' } });
    expect(views).toEqual([{ name: 'b', values: { text: 'y' } }, { name: 'a', values: {} }]);
  });
});
