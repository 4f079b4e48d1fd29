// SPDX-License-Identifier: Apache-2.0
/** How many hosts there are of each kind, of all projects or of the chosen one. */
import { useQueries } from '@tanstack/react-query';
import { keyOf, read, useGet } from '@/api/hooks';
import type { QueryOf, Schema } from '@/api/types';
import { useProject } from '@/app/project';

export type Counts = Record<string, number>;

export function countsOf(counts: readonly Schema<'Count'>[]): Counts {
  return Object.fromEntries(counts.map((c) => [c.word, c.count]));
}

/** What is shown of a query, or of several as one. */
export type Found<T> = { data: T | undefined; error: Error | null; isPending: boolean; refetch: () => unknown };

type HostQuery = QueryOf<'/api/v1/hosts'>;
export type HostKind = 'status' | 'protection' | 'importance';

export interface HostCounts extends Record<HostKind, Counts> {
  total: number;
}

/** In the order in which they are shown. */
export const HOST_WORDS = {
  status: ['online', 'offline', 'installing', 'installed', 'install_failed', 'not_installed'],
  protection: ['full', 'partial', 'none', 'unknown'],
  importance: ['important', 'common', 'test'],
} as const satisfies { [K in HostKind]: readonly NonNullable<HostQuery[K]>[] };

const QUESTIONS: readonly { kind: HostKind; word: string; filter: HostQuery }[] = [
  ...HOST_WORDS.status.map((status) => ({ kind: 'status' as const, word: status, filter: { status } })),
  ...HOST_WORDS.protection.map((protection) => ({ kind: 'protection' as const, word: protection, filter: { protection } })),
  ...HOST_WORDS.importance.map((importance) => ({ kind: 'importance' as const, word: importance, filter: { importance } })),
];

const EVERY: readonly HostKind[] = ['status', 'protection', 'importance'];

/**
 * The statistics count all that one may see; for one project the list is asked how many there are of each word of
 * the kinds `of` (kinds that are not asked for may be empty).
 */
export function useHostCounts(of: readonly HostKind[] = EVERY): Found<HostCounts> {
  const { project } = useProject();
  const all = useGet('/api/v1/hosts/statistics', {}, { enabled: project === undefined });
  const asked = QUESTIONS.filter((q) => of.includes(q.kind));
  const some = useQueries({
    queries: [{}, ...asked.map((q) => q.filter)].map((filter: HostQuery) => {
      const query = { ...filter, project, limit: 1 };
      return {
        queryKey: keyOf('/api/v1/hosts', { query }),
        queryFn: ({ signal }: { signal: AbortSignal }) => read('/api/v1/hosts', { query }, signal),
        enabled: project !== undefined,
      };
    }),
  });
  if (project === undefined) {
    const s = all.data;
    const data = s && {
      total: s.total,
      status: countsOf(s.by_status),
      protection: countsOf(s.by_protection),
      importance: countsOf(s.by_importance),
    };
    return { data, error: all.error, isPending: all.isPending, refetch: all.refetch };
  }
  const counts: HostCounts = { total: some[0]?.data?.total ?? 0, status: {}, protection: {}, importance: {} };
  asked.forEach(({ kind, word }, i) => {
    counts[kind][word] = some[i + 1]?.data?.total ?? 0;
  });
  return {
    data: some.every((s) => s.data) ? counts : undefined,
    error: some.find((s) => s.error)?.error ?? null,
    isPending: some.some((s) => s.isPending),
    refetch: () => some.forEach((s) => void s.refetch()),
  };
}
