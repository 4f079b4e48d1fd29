// SPDX-License-Identifier: Apache-2.0
/** Short names for what the OpenAPI document describes, and for the shapes of its routes. */
import type { MediaType, PathsWithMethod, SuccessResponse } from 'openapi-typescript-helpers';
import type { components, paths } from './schema';

/** `Schema<'AlarmItem'>`: one of the document's schemas. */
export type Schema<N extends keyof components['schemas']> = components['schemas'][N];

export type Method = 'get' | 'post' | 'put' | 'delete';
export type PathOf<M extends Method> = PathsWithMethod<paths, M>;

type Operation<P extends keyof paths, M extends Method> = Extract<paths[P][M], Record<string | number, unknown>>;

/** What a route answers with when it goes well. */
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R extends Record<string | number, unknown> }
    ? SuccessResponse<R, MediaType>
    : never;

type Parameters<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { parameters: infer X } ? X : never;

type Part<X, K extends string> = X extends { [k in K]?: infer V } ? Exclude<V, undefined> : never;

export type QueryOf<P extends keyof paths, M extends Method = 'get'> = Part<Parameters<P, M>, 'query'>;
export type PathParams<P extends keyof paths, M extends Method = 'get'> = Part<Parameters<P, M>, 'path'>;
export type BodyOf<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody?: { content: infer C } } ? C[keyof C] : undefined;

/** A page of a list. */
export interface Page<T> {
  items: T[];
  next?: string | null;
  total: number;
  total_is_capped: boolean;
}

/** Routes that answer with pages. */
export type ListPath = {
  [P in PathOf<'get'>]: Answer<P, 'get'> extends { items: unknown[]; total: number } ? P : never;
}[PathOf<'get'>];

/** What stands in a route's pages. */
export type ItemOf<P extends ListPath> = Answer<P, 'get'> extends { items: (infer T)[] } ? T : never;
