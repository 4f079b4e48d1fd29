// SPDX-License-Identifier: Apache-2.0
/** Names behind ids that hosts, tokens and quotas carry: groups, policy groups, quotas, projects. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { safeText } from '@/parts/FileName';
import { useWord } from '@/parts/tags';

export type Group = Schema<'HostGroup'>;
export type PolicyGroup = Schema<'PolicyGroup'>;
export type Quota = Schema<'Quota'>;

const KEPT = { staleTime: 30_000 };

interface Found<T> {
  items: T[];
  of: (id: string | null | undefined) => T | undefined;
}

function byId<T extends { id: string }>(items: T[]): Found<T> {
  const map = new Map(items.map((i) => [i.id, i]));
  return { items, of: (id) => (id ? map.get(id) : undefined) };
}

const NONE: never[] = [];

export function useGroups(): Found<Group> {
  const items = useGet('/api/v1/host-groups', {}, KEPT).data?.items;
  return useMemo(() => byId(items ?? NONE), [items]);
}

export function usePolicyGroups(): Found<PolicyGroup> {
  const items = useGet('/api/v1/policy-groups', {}, KEPT).data?.items;
  return useMemo(() => byId(items ?? NONE), [items]);
}

export function useQuotas(): Found<Quota> {
  const items = useGet('/api/v1/quotas', {}, KEPT).data?.items;
  return useMemo(() => byId(items ?? NONE), [items]);
}

/** Projects, with the name that a person gave them. */
export function useProjectNames(): { ids: string[]; name: (id: string) => string } {
  const { t } = useTranslation('hosts');
  const items = useGet('/api/v1/projects', {}, { staleTime: 60_000 }).data?.items ?? NONE;
  return {
    ids: items.map((p) => p.id),
    name: (id) => {
      if (id === '*') return t('everyProject');
      const found = items.find((p) => p.id === id);
      return found && found.name !== id ? safeText(`${found.name} (${id})`) : id;
    },
  };
}

/** How a quota is called where one is chosen: its edition, what is left of it, its note. */
export function useQuotaText(): (quota: Quota) => string {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const { name } = useProjectNames();
  return (q) => {
    const room = q.unlimited ? t('quota.unlimited') : typeof q.idle === 'number' ? t('quota.left', { count: q.idle }) : '';
    return [word('edition', q.edition), room, safeText(q.note), name(q.project)].filter(Boolean).join(' · ');
  };
}

/** Things of the chosen project only, or all. */
export function useChosenOnly(): <T extends { project: string }>(items: readonly T[]) => T[] {
  const { project } = useProject();
  return (items) => items.filter((i) => project === undefined || i.project === project || i.project === '*');
}
