// SPDX-License-Identifier: Apache-2.0
/** How many hosts there are of each kind, of all projects or of the chosen one. */
import { useGet } from '@/api/hooks';
import type { QueryOf, Schema } from '@/api/types';
import { useProject } from '@/app/project';

export type Counts = Record<string, number>;

export function countsOf(counts: readonly Schema<'Count'>[]): Counts {
  return Object.fromEntries(counts.map((c) => [c.word, c.count]));
}

/** What is shown of a query. */
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

/** Of all that one may see, or of the chosen project. */
export function useHostCounts(): Found<HostCounts> {
  const { projectQuery } = useProject();
  const { data, error, isPending, refetch } = useGet('/api/v1/hosts/statistics', { query: projectQuery });
  const counts = data && {
    total: data.total,
    status: countsOf(data.by_status),
    protection: countsOf(data.by_protection),
    importance: countsOf(data.by_importance),
  };
  return { data: counts, error, isPending, refetch };
}
