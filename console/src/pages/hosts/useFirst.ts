// SPDX-License-Identifier: Apache-2.0
/** What a form began with: newer data under the reader's hand would make its change overwrite somebody else's. */
import { useState } from 'react';

interface Found<T> {
  data: T | undefined;
  isPending: boolean;
  error: Error | null;
  refetch: () => unknown;
}

/** For the reading behind a form: nothing that is left from before, nor read by itself while it is open. */
export const FOR_FORMS = { gcTime: 0, staleTime: 0, refetchOnWindowFocus: false } as const;

export function useFirst<T>({ data, isPending, error, refetch }: Found<T>): Found<T> {
  const [first, setFirst] = useState<T | undefined>(data);
  if (first === undefined && data !== undefined) setFirst(data);
  return { data: first ?? data, isPending, error, refetch };
}
