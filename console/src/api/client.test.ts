// SPDX-License-Identifier: Apache-2.0
/** A sign-in that ends in the middle of something: the request waits, and is sent again whole. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { onExpired, patientFetch } from './client';
import { ApiError, isKind, OfflineError } from './errors';

const problem = (status: number, kind: string) =>
  new Response(JSON.stringify({ type: `urn:lazaret:problem:${kind}`, title: 'T', status, detail: 'D' }), {
    status,
    headers: { 'content-type': 'application/problem+json', 'Retry-After': '7' },
  });
const post = (path: string) => new Request(`http://localhost${path}`, { method: 'POST', body: '{"a":1}' });

afterEach(() => {
  vi.unstubAllGlobals();
  onExpired(null);
});

describe('patientFetch', () => {
  it('asks to sign in, then sends the same body again', async () => {
    const bodies: string[] = [];
    const answers = [problem(401, 'not-signed-in'), new Response('{}')];
    vi.stubGlobal('fetch', async (r: Request) => {
      bodies.push(await r.text());
      return answers.shift();
    });
    const renew = vi.fn(() => Promise.resolve());
    onExpired(renew);
    expect((await patientFetch(post('/api/v1/alarms/handle'))).status).toBe(200);
    expect(renew).toHaveBeenCalledTimes(1);
    expect(bodies).toEqual(['{"a":1}', '{"a":1}']);
  });

  it('leaves other 401s to who asked: a wrong password is an answer', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(problem(401, 'wrong-password')));
    const renew = vi.fn(() => Promise.resolve());
    onExpired(renew);
    expect((await patientFetch(post('/api/v1/me/password'))).status).toBe(401);
    expect(renew).not.toHaveBeenCalled();
  });

  it('gives the answer back where nobody can sign in again', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(problem(401, 'not-signed-in')));
    expect((await patientFetch(post('/api/v1/x'))).status).toBe(401);
  });

  it('tells that the server was not reached', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed')));
    await expect(patientFetch(post('/api/v1/x'))).rejects.toBeInstanceOf(OfflineError);
  });
});

describe('ApiError', () => {
  it('has kind, detail and the time to wait', async () => {
    const e = await ApiError.from(problem(429, 'too-many-requests'));
    expect([e.status, e.kind, e.message, e.retryAfter]).toEqual([429, 'too-many-requests', 'D', 7]);
    expect(isKind(e, 'stale', 'too-many-requests')).toBe(true);
  });

  it('reads what is not JSON', async () => {
    const e = await ApiError.from(new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
    expect([e.kind, e.message]).toEqual(['unknown', 'Bad Gateway']);
  });
});
