// SPDX-License-Identifier: Apache-2.0
/** The numbers of the dashboard, put together from what the lists say. */
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { type Counts, countsOf, type Found } from '@/parts/hostCounts';

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type SeverityWord = (typeof SEVERITIES)[number];

/** A series of days without gaps: a day without alarms is a zero, not a missing bar. */
export function daysFilled(found: readonly Schema<'DayCount'>[], days: number, now = Date.now()): { day: string; count: number }[] {
  const by = new Map(found.map((d) => [d.day, d.count]));
  return [...Array(days).keys()].map((i) => {
    const day = new Date(now - (days - 1 - i) * 86_400_000).toISOString().slice(0, 10);
    return { day, count: by.get(day) ?? 0 };
  });
}

export interface RiskyHost {
  id: string;
  name: string;
  importance: string;
  critical: number;
  high: number;
}

/** Hosts by what is unhandled on them: critical ones first, then how many. */
export function riskiest(alarms: readonly Schema<'AlarmItem'>[], most: number): RiskyHost[] {
  const by = new Map<string, RiskyHost>();
  for (const a of alarms) {
    const host = by.get(a.host.id) ?? { id: a.host.id, name: a.host.name, importance: a.host.importance, critical: 0, high: 0 };
    if (a.severity === 'critical') host.critical += 1;
    else host.high += 1;
    by.set(a.host.id, host);
  }
  return [...by.values()].sort((a, b) => b.critical - a.critical || b.high - a.high || a.name.localeCompare(b.name)).slice(0, most);
}

export interface ContentShare {
  version: string;
  hosts: number;
}

/** How many hosts have which content, the most first. */
export function contentShares(hosts: readonly Schema<'Host'>[]): ContentShare[] {
  const by = new Map<string, number>();
  for (const h of hosts) by.set(h.content_version, (by.get(h.content_version) ?? 0) + 1);
  return [...by].map(([version, n]) => ({ version, hosts: n })).sort((a, b) => b.hosts - a.hosts);
}

/** Isolated files by status, of all that one may see or of the chosen project. */
export function useIsolatedCounts(): Found<Counts> {
  const { projectQuery } = useProject();
  const { data, error, isPending, refetch } = useGet('/api/v1/isolated-files/statistics', { query: projectQuery });
  return { data: data && countsOf(data.by_status), error, isPending, refetch };
}
