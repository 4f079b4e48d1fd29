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

/** Undefined until every project that is asked has answered. */
export function useSwitchesSeen(): SwitchesSeen | undefined {
  const { project } = useProject();
  const { projects } = useProjects();
  const all = project === undefined ? projects.map((p) => p.id) : [project];
  const found = useQueries({
    queries: all.slice(0, ASKED).map((id) => {
      const asked = { query: { project: id } };
      return {
        queryKey: keyOf('/api/v1/switches', asked),
        queryFn: ({ signal }: { signal: AbortSignal }) => read('/api/v1/switches', asked, signal),
      };
    }),
  });
  if (found.length === 0 || !found.every((f) => f.data)) return undefined;
  return { items: found.flatMap((f) => f.data?.items ?? []), more: all.length > ASKED };
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
