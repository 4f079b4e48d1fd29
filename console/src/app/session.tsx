// SPDX-License-Identifier: Apache-2.0
/** Who is signed in. Everything behind it may ask with {@link useMe}; nothing behind it shows before. */
import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { api } from '@/api/client';
import { isKind } from '@/api/errors';
import type { Schema } from '@/api/types';

export type Me = Schema<'Me'>;

export const MeContext = createContext<Me | null>(null);

export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error('useMe outside of the signed-in part');
  return me;
}

const ME_KEY = ['/api/v1/me'];

/** Who one is; `null`: nobody. */
export function useWho(): UseQueryResult<Me | null, Error> {
  return useQuery<Me | null, Error>({
    queryKey: ME_KEY,
    queryFn: async ({ signal }) => {
      try {
        const { data } = await api.GET('/api/v1/me', { signal });
        return data ?? null;
      } catch (e) {
        if (isKind(e, 'not-signed-in')) return null;
        throw e;
      }
    },
    staleTime: 60_000,
  });
}

/** For after signing in and after a password change: look again who one is. */
export function useLookAgain(): () => Promise<void> {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ME_KEY, exact: true });
}

/** Where `return_to` may lead: into this console, and nowhere else. */
export function safeReturn(path: string | undefined): string {
  if (!path || !path.startsWith('/ui/') || path.startsWith('/ui//') || path.includes('\\')) return '/ui/';
  return /^[\x21-\x7e]*$/.test(path) && path.length <= 512 ? path : '/ui/';
}

/** Ends the sign-in here and, where it came from a provider, there. */
export async function signOut(): Promise<void> {
  let away: string | null | undefined;
  try {
    const { data } = await api.POST('/api/v1/sso/logout', {});
    away = data?.url;
  } catch {
    // Not reached, or ended already: the page behind asks who one is.
  }
  location.assign(away && /^https:\/\//.test(away) ? away : '/ui/signin');
}
