// SPDX-License-Identifier: Apache-2.0
/** Group, importance and quota of servers, many at once, each with its way back. */
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { sorted } from './sorted';

type Host = Schema<'Host'>;
export type Importance = Schema<'Importance'>;
const NOWHERE = 'none';

/** Each does it and gives what takes it back. */
export interface Assign {
  group: (hosts: readonly Host[], group: string | null) => Promise<() => Promise<void>>;
  importance: (hosts: readonly Host[], importance: Importance) => Promise<() => Promise<void>>;
  bind: (hosts: readonly Host[], quota: string) => Promise<() => Promise<void>>;
  unbind: (hosts: readonly Host[]) => Promise<() => Promise<void>>;
}

export function useAssign(): Assign {
  const assign = useSend('post', '/api/v1/hosts/assign');
  const bind = useSend('post', '/api/v1/quotas/bind', { changes: ['/api/v1/hosts', '/api/v1/quotas'] });
  const unbind = useSend('post', '/api/v1/quotas/unbind', { changes: ['/api/v1/hosts', '/api/v1/quotas'] });

  const quotasBack = (hosts: readonly Host[]) => async () => {
    for (const [quota, ids] of sorted(hosts, (h) => h.edition?.quota ?? NOWHERE)) {
      if (quota === NOWHERE) await unbind.mutateAsync({ body: { hosts: ids } });
      else await bind.mutateAsync({ body: { quota, hosts: ids } });
    }
  };
  const ids = (hosts: readonly Host[]) => hosts.map((h) => h.id);

  return {
    group: async (hosts, group) => {
      await assign.mutateAsync({ body: group ? { hosts: ids(hosts), group } : { hosts: ids(hosts), ungroup: true } });
      return async () => {
        for (const [before, some] of sorted(hosts, (h) => h.group ?? NOWHERE)) {
          await assign.mutateAsync({ body: before === NOWHERE ? { hosts: some, ungroup: true } : { hosts: some, group: before } });
        }
      };
    },
    importance: async (hosts, importance) => {
      await assign.mutateAsync({ body: { hosts: ids(hosts), importance } });
      return async () => {
        for (const [before, some] of sorted(hosts, (h) => h.importance)) {
          await assign.mutateAsync({ body: { hosts: some, importance: before as Importance } });
        }
      };
    },
    bind: async (hosts, quota) => {
      await bind.mutateAsync({ body: { quota, hosts: ids(hosts) } });
      return quotasBack(hosts);
    },
    unbind: async (hosts) => {
      await unbind.mutateAsync({ body: { hosts: ids(hosts) } });
      return quotasBack(hosts);
    },
  };
}
