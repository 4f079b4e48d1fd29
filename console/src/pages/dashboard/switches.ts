// SPDX-License-Identifier: Apache-2.0
/** The switches of the chosen project, or of all that the caller may see: the server tells those of one at a time. */
import { useQueries } from '@tanstack/react-query';
import { keyOf, read } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { useProjects } from '@/parts/projects';

/** So many projects are asked. */
export const ASKED = 20;

export interface SwitchesSeen {
  items: Schema<'Switch'>[];
  /** There are more projects than were asked. */
  more: boolean;
}

/** What was asked of several projects: undefined until every one has answered, or when one could not. */
export interface Asking<T> {
  data: T | undefined;
  pending: boolean;
}

/** The projects that are asked. */
export function useAsked(): { ids: string[]; more: boolean; loading: boolean } {
  const { project } = useProject();
  const { projects, loading } = useProjects();
  if (project !== undefined) return { ids: [project], more: false, loading: false };
  return { ids: projects.slice(0, ASKED).map((p) => p.id), more: projects.length > ASKED, loading };
}

export function useSwitchesSeen(): Asking<SwitchesSeen> {
  const { ids, more, loading } = useAsked();
  const found = useQueries({
    queries: ids.map((id) => {
      const asked = { query: { project: id } };
      return {
        queryKey: keyOf('/api/v1/switches', asked),
        queryFn: ({ signal }: { signal: AbortSignal }) => read('/api/v1/switches', asked, signal),
      };
    }),
  });
  const pending = loading || found.some((f) => f.isPending);
  if (pending || found.length === 0 || !found.every((f) => f.data)) return { data: undefined, pending };
  return { data: { items: found.flatMap((f) => f.data?.items ?? []), more }, pending };
}

export interface SwitchCount {
  name: string;
  on: number;
  of: number;
}

/** In how many of the projects each switch is on. */
export function countSwitches(items: readonly Pick<Schema<'Switch'>, 'name' | 'on'>[]): SwitchCount[] {
  const by = new Map<string, SwitchCount>();
  for (const { name, on } of items) {
    const count = by.get(name) ?? { name, on: 0, of: 0 };
    by.set(name, { name, on: count.on + Number(on), of: count.of + 1 });
  }
  return [...by.values()];
}
