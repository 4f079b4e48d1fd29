// SPDX-License-Identifier: Apache-2.0
/** Projects whose people want to be reminded that nothing acts by itself there. */
import { useQueries } from '@tanstack/react-query';
import { keyOf, read } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { type Asking, useAsked } from './switches';

export const REMINDERS = '/api/v1/projects/{project}/reminders';

type Reminders = Pick<Schema<'Reminders'>, 'project' | 'reminders'>;
type Switch = Pick<Schema<'Switch'>, 'project' | 'name' | 'on'>;

/** Asked of all, not only of those that are off: so both answers come at the same time. */
export function useReminders(): Asking<Reminders[]> {
  const { ids, loading } = useAsked();
  const found = useQueries({
    queries: ids.map((id) => {
      const asked = { path: { project: id } };
      return {
        queryKey: keyOf(REMINDERS, asked),
        queryFn: ({ signal }: { signal: AbortSignal }) => read(REMINDERS, asked, signal),
      };
    }),
  });
  return {
    // Of those that answered: who reminds must not wait for the one that cannot.
    data: found.flatMap((f) => (f.data ? [f.data] : [])),
    pending: loading || found.some((f) => f.isPending),
  };
}

/** Those that remind and whose switch is off. */
export function remindedOf(switches: readonly Switch[], reminders: readonly Reminders[]): string[] {
  const wanted = new Set(reminders.filter((r) => r.reminders).map((r) => r.project));
  return switches.filter((s) => s.name === 'isolate_and_kill' && !s.on && wanted.has(s.project)).map((s) => s.project);
}
