// SPDX-License-Identifier: Apache-2.0
/** Choosing rows, and kept choices of columns and orders. */
import { describe, expect, it } from 'vitest';
import { parseColumns } from './columns';
import { parseTasks } from './orderList';
import { shareEnded } from './orders';
import { chosenAfter } from './selection';

const order = ['a', 'b', 'c', 'd', 'e'];
const ids = (s: Set<string>) => [...s].sort().join('');

describe('choosing rows', () => {
  it('adds one and takes it', () => {
    const one = chosenAfter(new Set(), order, 'b', null, false, 10);
    expect(ids(one.ids)).toBe('b');
    expect(ids(chosenAfter(one.ids, order, 'b', 'b', false, 10).ids)).toBe('');
  });

  it('adds and takes all between two, in both directions', () => {
    expect(ids(chosenAfter(new Set(['b']), order, 'd', 'b', true, 10).ids)).toBe('bcd');
    expect(ids(chosenAfter(new Set(['d']), order, 'b', 'd', true, 10).ids)).toBe('bcd');
    expect(ids(chosenAfter(new Set(order), order, 'd', 'b', true, 10).ids)).toBe('ae');
  });

  it('takes the last one that is gone as none', () => {
    expect(ids(chosenAfter(new Set(), order, 'd', 'x', true, 10).ids)).toBe('d');
  });

  it('says when more were wanted than can be', () => {
    const after = chosenAfter(new Set(['a']), order, 'e', 'a', true, 3);
    expect(after.full).toBe(true);
    expect(after.ids.size).toBe(3);
  });
});

describe('what is kept in the browser', () => {
  const known = [{ id: 'a' }, { id: 'b', hidden: true }, { id: 'c' }];

  it('is columns that are still there, in their order', () => {
    expect(parseColumns('["c","gone","b"]', known)).toEqual(['b', 'c']);
    for (const bad of [null, '{', '{}', '["gone"]', '[]']) expect(parseColumns(bad, known)).toEqual(['a', 'c']);
  });

  it('is orders of the right form', () => {
    const task = { id: '1', title: 't', at: '2026-01-01T00:00:00Z' };
    expect(parseTasks(JSON.stringify([task, { id: 1 }, null]))).toEqual([task]);
    expect(parseTasks('x')).toEqual([]);
  });
});

describe('progress', () => {
  it('counts what has ended, whatever came of it', () => {
    const by_state = [
      { word: 'done', count: 3 },
      { word: 'failed', count: 1 },
      { word: 'sent', count: 4 },
    ];
    expect(shareEnded({ total: 8, by_state })).toBe(50);
    expect(shareEnded({ total: 0, by_state: [] })).toBe(100);
  });
});
