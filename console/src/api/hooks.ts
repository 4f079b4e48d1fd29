// SPDX-License-Identifier: Apache-2.0
/** Reading and writing one thing. A query's key is its path and parameters, so that live.ts can find it. */
import {
  useMutation,
  useQuery,
  useQueryClient,
  type QueryKey,
  type UseMutationResult,
  type UseQueryOptions,
  type UseQueryResult,
} from '@tanstack/react-query';
import { api } from './client';
import type { Answer, BodyOf, Method, PathOf, PathParams, QueryOf } from './types';

/** Parameters of a route as its caller gives them. */
export interface Asked<P extends PathOf<M>, M extends Method> {
  path?: PathParams<P, M>;
  query?: QueryOf<P, M>;
}

/** openapi-fetch's calls are typed per literal path; behind a generic one they are the same function. */
type Call = (
  path: string,
  init: Record<string, unknown>,
) => Promise<{ data?: unknown; response: Response }>;

const CALLS: Record<Method, Call> = {
  get: api.GET as unknown as Call,
  post: api.POST as unknown as Call,
  put: api.PUT as unknown as Call,
  delete: api.DELETE as unknown as Call,
};

export function keyOf(path: string, asked?: { path?: unknown; query?: unknown }): QueryKey {
  return asked?.path || asked?.query ? [path, { path: asked.path, query: asked.query }] : [path];
}

/** Reads once, without a component. */
export async function read<P extends PathOf<'get'>>(
  path: P,
  asked: Asked<P, 'get'> = {},
  signal?: AbortSignal,
): Promise<Answer<P, 'get'>> {
  const { data } = await CALLS.get(path, { params: asked, signal });
  return data as Answer<P, 'get'>;
}

type Options<T> = Omit<UseQueryOptions<T, Error>, 'queryKey' | 'queryFn'>;

/** Reads a route and keeps it fresh. */
export function useGet<P extends PathOf<'get'>>(
  path: P,
  asked: Asked<P, 'get'> = {},
  options: Options<Answer<P, 'get'>> = {},
): UseQueryResult<Answer<P, 'get'>, Error> {
  return useQuery<Answer<P, 'get'>, Error>({
    queryKey: keyOf(path, asked),
    queryFn: ({ signal }) => read(path, asked, signal),
    ...options,
  });
}

/** A thing and the `ETag` that its change must name in `If-Match`. */
export interface Versioned<T> {
  value: T;
  etag: string;
}

/** Reads a thing that is changed with `If-Match`. Its key lies under `path`, too. */
export function useVersioned<P extends PathOf<'get'>>(
  path: P,
  asked: Asked<P, 'get'> = {},
  options: Options<Versioned<Answer<P, 'get'>>> = {},
): UseQueryResult<Versioned<Answer<P, 'get'>>, Error> {
  return useQuery<Versioned<Answer<P, 'get'>>, Error>({
    queryKey: [...keyOf(path, asked), 'etag'],
    queryFn: async ({ signal }) => {
      const { data, response } = await CALLS.get(path, { params: asked, signal });
      return { value: data as Answer<P, 'get'>, etag: response.headers.get('ETag') ?? '' };
    },
    ...options,
  });
}

type Writes = 'post' | 'put' | 'delete';

/** One order: parameters, body, and the `ETag` that the change is based on. */
export interface Order<P extends PathOf<M>, M extends Writes> extends Asked<P, M> {
  body?: BodyOf<P, M>;
  ifMatch?: string;
}

export interface SendOptions {
  /** Lists and things that look different afterwards, by path. Default: the route's first word. */
  changes?: string[];
}

/** Sends one order, without a component. Each has a key of its own: sent twice it is done once. */
export async function send<M extends Writes, P extends PathOf<M>>(
  method: M,
  path: P,
  order: Order<P, M> = {},
): Promise<Answer<P, M>> {
  const headers: Record<string, string> = {};
  if (method === 'post') headers['Idempotency-Key'] = crypto.randomUUID();
  if (order.ifMatch) headers['If-Match'] = order.ifMatch;
  const params = { path: order.path, query: order.query };
  const { data } = await CALLS[method](path, { params, body: order.body, headers });
  return data as Answer<P, M>;
}

/** `/api/v1/alarms/{id}/handle` -> `/api/v1/alarms`: what lies below is read again. */
export function areaOf(path: string): string {
  return path.split('/').slice(0, 4).join('/');
}

/** Writes; what the order changes is read again afterwards. Errors are the caller's to show. */
export function useSend<M extends Writes, P extends PathOf<M>>(
  method: M,
  path: P,
  options: SendOptions = {},
): UseMutationResult<Answer<P, M>, Error, Order<P, M>> {
  const client = useQueryClient();
  return useMutation<Answer<P, M>, Error, Order<P, M>>({
    mutationFn: (order) => send(method, path, order),
    onSettled: () => {
      const areas = options.changes ?? [areaOf(path)];
      return client.invalidateQueries({ predicate: (q) => isUnder(q.queryKey, areas) });
    },
  });
}

/** Whether a key is of one of these paths or below one. */
export function isUnder(key: QueryKey, areas: readonly string[]): boolean {
  const path = key[0];
  return typeof path === 'string' && areas.some((a) => path === a || path.startsWith(`${a}/`));
}
