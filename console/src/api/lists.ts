// SPDX-License-Identifier: Apache-2.0
/** Long lists: pages behind cursors, fetched as the reader comes near the end. */
import {
  hashKey,
  useInfiniteQuery,
  useQueryClient,
  type InfiniteData,
  type UseInfiniteQueryResult,
} from '@tanstack/react-query';
import { useMemo, useSyncExternalStore } from 'react';
import { keyOf, read, type Asked } from './hooks';
import { hasGrown, LONGEST_LIST, onGrown, settle } from './live';
import type { ItemOf, ListPath, Page } from './types';

/** Rows of one request. */
export const PAGE_SIZE = 100;

/** A list as tables want it. */
export interface Rows<T> {
  rows: T[];
  /** Counted by the server, up to 10,000. */
  total: number;
  totalIsCapped: boolean;
  hasMore: boolean;
  /** Something changed, and too much is open to be read again unasked. */
  grown: boolean;
  more: () => void;
  reload: () => void;
  loading: boolean;
  loadingMore: boolean;
  error: Error | null;
  /** All rows behind the same filters, page by page: for exports. */
  everything: (limit: number) => Promise<T[]>;
}

type Key = string | undefined;

/** Pages put one behind the other. A row that moved between two requests stands there once: the newer. */
export function joined<T>(pages: readonly Page<T>[], idOf: (row: T) => string): T[] {
  const at = new Map<string, number>();
  const rows: T[] = [];
  for (const page of pages) {
    for (const row of page.items) {
      const id = idOf(row);
      const before = at.get(id);
      if (before === undefined) {
        at.set(id, rows.length);
        rows.push(row);
      } else {
        rows[before] = row;
      }
    }
  }
  return rows;
}

/** Reads page after page until the end or `limit` rows. */
export async function collect<T>(
  page: (after: string | undefined) => Promise<Page<T>>,
  limit: number,
): Promise<T[]> {
  const rows: T[] = [];
  let after: Key;
  for (;;) {
    const one = await page(after);
    rows.push(...one.items);
    if (rows.length >= limit) return rows.slice(0, limit);
    // A cursor that does not move would never end.
    if (!one.next || one.next === after) return rows;
    after = one.next;
  }
}

/** A list of the server as rows for a {@link DataTable}. */
export function useList<P extends ListPath>(
  path: P,
  asked: Asked<P, 'get'>,
  idOf: (row: ItemOf<P>) => string,
  options: { enabled?: boolean; pageSize?: number } = {},
): Rows<ItemOf<P>> {
  type T = ItemOf<P>;
  const size = options.pageSize ?? PAGE_SIZE;
  const page = async (after: Key, limit: number, signal?: AbortSignal): Promise<Page<T>> => {
    const query = { ...(asked.query as object | undefined), limit, ...(after ? { after } : {}) };
    return (await read(path, { ...asked, query } as Asked<P, 'get'>, signal)) as unknown as Page<T>;
  };
  const client = useQueryClient();
  const queryKey = [...keyOf(path, asked), 'pages', size];
  const hash = hashKey(queryKey);
  const grown = useSyncExternalStore(onGrown, () => hasGrown(hash));
  const found: UseInfiniteQueryResult<InfiniteData<Page<T>, Key>, Error> = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => page(pageParam, size, signal),
    initialPageParam: undefined as Key,
    getNextPageParam: (last) => last.next ?? undefined,
    enabled: options.enabled ?? true,
  });
  const pages = found.data?.pages;
  // idOf is a plain look at the row: a new function on every render is still the same one.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const rows = useMemo(() => joined(pages ?? [], idOf), [pages]);
  return {
    rows,
    total: pages?.[0]?.total ?? 0,
    totalIsCapped: pages?.[0]?.total_is_capped ?? false,
    hasMore: found.hasNextPage,
    more: () => {
      if (found.hasNextPage && !found.isFetchingNextPage) void found.fetchNextPage();
    },
    grown,
    reload: () => {
      settle(hash);
      // Of a long list the first page only; the rest comes as the reader scrolls.
      if ((pages?.length ?? 0) > LONGEST_LIST) void client.resetQueries({ queryKey, exact: true });
      else void found.refetch();
    },
    loading: found.isPending && found.fetchStatus !== 'idle',
    loadingMore: found.isFetchingNextPage,
    error: found.error,
    everything: (limit) => collect((after) => page(after, 1000), limit),
  };
}

/** A short list that the server gives whole, in the same shape. */
export function wholeList<T>(
  found: { data?: { items: T[] }; isPending: boolean; error: Error | null; refetch: () => unknown },
): Rows<T> {
  const rows = found.data?.items ?? [];
  return {
    rows,
    total: rows.length,
    totalIsCapped: false,
    hasMore: false,
    grown: false,
    more: () => undefined,
    reload: () => void found.refetch(),
    loading: found.isPending,
    loadingMore: false,
    error: found.error,
    everything: (limit) => Promise.resolve(rows.slice(0, limit)),
  };
}
