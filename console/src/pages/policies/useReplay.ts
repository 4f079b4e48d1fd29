// SPDX-License-Identifier: Apache-2.0
/** Settings tried on the past as soon as a dialog about them opens. */
import { useQuery } from '@tanstack/react-query';
import { send } from '@/api/hooks';
import type { Replay } from '@/parts/Replay';
import type { Settings } from './settings';

export function useReplay(id: string, settings: Settings): { data: Replay | undefined; error: string | null } {
  const found = useQuery({
    queryKey: ['replay of a policy group', id, settings],
    queryFn: () => send('post', '/api/v1/policy-groups/{id}/replay', { path: { id }, body: { settings } }),
    staleTime: 30_000,
    retry: false,
  });
  return { data: found.data, error: found.error?.message ?? null };
}
