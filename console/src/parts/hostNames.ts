// SPDX-License-Identifier: Apache-2.0
/** Names of hosts for lists that have their ids only. */
import { useQueries } from '@tanstack/react-query';
import { keyOf, read } from '@/api/hooks';

/** What one request may ask for. */
const AT_ONCE = 100;

/** In parts, in an order that stays while rows are added behind. */
export function partsOf(ids: readonly (string | null | undefined)[]): string[][] {
  const all = [...new Set(ids.filter((id): id is string => Boolean(id)))];
  const parts: string[][] = [];
  for (let i = 0; i < all.length; i += AT_ONCE) parts.push(all.slice(i, i + AT_ONCE));
  return parts;
}

/** `names.get(id)`: undefined until it is known, or where the caller may not see the host. */
export function useHostNames(ids: readonly (string | null | undefined)[]): Map<string, string> {
  return useQueries({
    queries: partsOf(ids).map((part) => {
      const asked = { query: { ids: part, limit: AT_ONCE, removed: true } };
      return {
        queryKey: keyOf('/api/v1/hosts', asked),
        queryFn: ({ signal }: { signal: AbortSignal }) => read('/api/v1/hosts', asked, signal),
        staleTime: 60_000,
      };
    }),
    combine: (found) => new Map(found.flatMap((f) => (f.data?.items ?? []).map((h) => [h.id, h.name] as const))),
  });
}
