// SPDX-License-Identifier: Apache-2.0
/** Pages behind cursors: no row twice, none lost, and an end. */
import { describe, expect, it } from 'vitest';
import { collect, joined } from './lists';
import type { Page } from './types';

interface Row {
  id: string;
  n: number;
}
const page = (ids: string[], next: string | null, n = 0): Page<Row> => ({
  items: ids.map((id) => ({ id, n })),
  next,
  total: ids.length,
  total_is_capped: false,
});

describe('joined', () => {
  it('puts pages one behind the other', () => {
    expect(joined([page(['a', 'b'], '1'), page(['c'], null)], (r) => r.id).map((r) => r.id)).toEqual(['a', 'b', 'c']);
  });

  it('shows a row that moved between two requests once, as it is now', () => {
    const rows = joined([page(['a', 'b'], '1', 1), page(['b', 'c'], null, 2)], (r) => r.id);
    expect(rows).toEqual([
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
      { id: 'c', n: 2 },
    ]);
  });
});

describe('collect', () => {
  const pages: Record<string, Page<Row>> = { '': page(['a', 'b'], '1'), '1': page(['c', 'd'], '2'), '2': page(['e'], null) };
  const read = (after: string | undefined) => Promise.resolve(pages[after ?? ''] ?? page([], null));

  it('reads to the end', async () => {
    expect((await collect(read, 100)).map((r) => r.id)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('stops at the limit, without another request', async () => {
    const asked: (string | undefined)[] = [];
    const rows = await collect((after) => {
      asked.push(after);
      return read(after);
    }, 3);
    expect(rows.map((r) => r.id)).toEqual(['a', 'b', 'c']);
    expect(asked).toEqual([undefined, '1']);
  });

  it('ends when a cursor does not move', async () => {
    const rows = await collect(() => Promise.resolve(page(['x'], 'same')), 100);
    expect(rows).toHaveLength(2);
  });
});
