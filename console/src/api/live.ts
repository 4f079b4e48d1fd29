// SPDX-License-Identifier: Apache-2.0
/** The stream of changes: what changed is read again, a moment later and together. */
import { useQueryClient, type Query, type QueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { isUnder } from './hooks';

export type LiveState = 'on' | 'connecting' | 'off';

/** What each kind of change makes old. */
export const AREAS: Record<string, readonly string[]> = {
  alarm: ['/api/v1/alarms', '/api/v1/whitelist'],
  isolated: ['/api/v1/isolated-files'],
  host: ['/api/v1/hosts', '/api/v1/quotas'],
  command: ['/api/v1/commands', '/api/v1/tasks'],
  scan: ['/api/v1/scan-tasks', '/api/v1/scan-policies'],
  desired: ['/api/v1/hosts', '/api/v1/policy-groups', '/api/v1/switches', '/api/v1/host-groups'],
  file: ['/api/v1/files', '/api/v1/samples', '/api/v1/deep-scans'],
  verdict: ['/api/v1/files', '/api/v1/alarms'],
};

/** Not more often than this, however much happens. */
const PAUSE_MS = 1000;
/** A list of which more is open is not read again by itself: the reader would wait for all of it. */
export const LONGEST_LIST = 3;

function isLong(query: Query): boolean {
  const pages = (query.state.data as { pages?: unknown[] } | undefined)?.pages;
  return Array.isArray(pages) && pages.length > LONGEST_LIST;
}

/** Lists that are too long to be read again tell their table that there is something new. */
const grown = new Set<string>();
const listeners = new Set<() => void>();

export function hasGrown(hash: string): boolean {
  return grown.has(hash);
}

export function settle(hash: string): void {
  if (grown.delete(hash)) listeners.forEach((l) => l());
}

export function onGrown(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Reads again what lies in these areas; `null`: everything. */
export function refresh(client: QueryClient, areas: readonly string[] | null): void {
  const old = (q: Query) => areas === null || isUnder(q.queryKey, areas);
  for (const query of client.getQueryCache().findAll({ predicate: (q) => old(q) && isLong(q) })) {
    grown.add(query.queryHash);
  }
  void client.invalidateQueries({ predicate: (q) => old(q) && !isLong(q) });
  listeners.forEach((l) => l());
}

/** Listens as long as the frame is there. */
export function useLive(): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');

  useEffect(() => {
    let source: EventSource | null = null;
    let again: ReturnType<typeof setTimeout> | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let wait = 1000;
    let everything = false;
    let broken = false;
    const changed = new Set<string>();

    const flush = () => {
      timer = undefined;
      // A page that nobody looks at waits until somebody does.
      if (document.hidden) return;
      if (everything) refresh(client, null);
      else if (changed.size) refresh(client, [...changed]);
      everything = false;
      changed.clear();
    };
    const soon = () => (timer ??= setTimeout(flush, PAUSE_MS));

    const open = () => {
      source = new EventSource('/api/v1/events/stream');
      source.onopen = () => {
        setState('on');
        wait = 1000;
        // What happened while it was broken off in a new connection nobody told us.
        if (broken) {
          everything = true;
          soon();
        }
        broken = false;
      };
      source.onerror = () => {
        const closed = source?.readyState === EventSource.CLOSED;
        setState(closed ? 'off' : 'connecting');
        if (!closed) return;
        // The browser gives up after an answer that is no stream: signed out, or the server is starting.
        broken = true;
        source?.close();
        again = setTimeout(open, wait);
        wait = Math.min(wait * 2, 30_000);
      };
      for (const [kind, areas] of Object.entries(AREAS)) {
        source.addEventListener(kind, () => {
          areas.forEach((a) => changed.add(a));
          soon();
        });
      }
      source.addEventListener('missed', () => {
        everything = true;
        soon();
      });
    };

    const onSeen = () => {
      if (!document.hidden) soon();
    };
    const onOnline = () => {
      clearTimeout(again);
      if (source?.readyState === EventSource.CLOSED) open();
    };
    open();
    document.addEventListener('visibilitychange', onSeen);
    window.addEventListener('online', onOnline);
    return () => {
      clearTimeout(timer);
      clearTimeout(again);
      document.removeEventListener('visibilitychange', onSeen);
      window.removeEventListener('online', onOnline);
      source?.close();
    };
  }, [client]);

  return state;
}
