// SPDX-License-Identifier: Apache-2.0
/** The way to the server: typed by its OpenAPI document, with the browser's session cookie. */
import createClient, { type Middleware } from 'openapi-fetch';
import { ApiError, OfflineError, problemOf } from './errors';
import type { paths } from './schema';

/** Called when the server says that the sign-in is over; resolves when the person signed in again. */
type Renew = () => Promise<void>;
let renew: Renew | null = null;

/** The shell says here how to sign in again without leaving the page. */
export function onExpired(how: Renew | null): void {
  renew = how;
}

const WRITES = new Set(['POST', 'PUT', 'DELETE', 'PATCH']);

/**
 * Fetches, and after a 401 asks to sign in again and sends the same request once more, so that a form
 * that somebody has filled in for half an hour is not lost.
 */
export async function patientFetch(request: Request): Promise<Response> {
  // A body can be read once: the copy is for the second try.
  const again = request.clone();
  const answer = await reach(request);
  if (answer.status !== 401 || !renew) return answer;
  const kind = (await problemOf(answer.clone())).kind;
  if (kind !== 'not-signed-in' || new URL(request.url).pathname.endsWith('/login')) return answer;
  await renew();
  return reach(again);
}

async function reach(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (e) {
    if (request.signal.aborted) throw e;
    throw new OfflineError(e);
  }
}

const ours: Middleware = {
  onRequest({ request }) {
    if (WRITES.has(request.method)) request.headers.set('X-Lazaret-CSRF', '1');
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw await ApiError.from(response);
  },
};

/** Typed calls; whatever is not 2xx is thrown as an {@link ApiError}. */
export const api = createClient<paths>({
  baseUrl: typeof location === 'undefined' ? 'http://localhost' : location.origin,
  credentials: 'same-origin',
  fetch: patientFetch,
  // `?severity=high,critical`, as the server's lists want it.
  querySerializer: { array: { style: 'form', explode: false } },
});
api.use(ours);

