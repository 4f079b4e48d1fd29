// SPDX-License-Identifier: Apache-2.0
/** Long work that was begun in this browser: it can be left, and found again. */
import { useSyncExternalStore } from 'react';

export interface TrackedTask {
  id: string;
  /** What was ordered, as it was said then. */
  title: string;
  at: string;
}

const KEY = 'lazaret.orders';
const MOST = 30;

/** Reads what is kept; what is not of our making is left out. */
export function parseTasks(kept: string | null): TrackedTask[] {
  if (!kept) return [];
  try {
    const said: unknown = JSON.parse(kept);
    if (!Array.isArray(said)) return [];
    return said.filter(
      (o: unknown): o is TrackedTask =>
        typeof o === 'object' && o !== null && ['id', 'title', 'at'].every((k) => typeof (o as Record<string, unknown>)[k] === 'string'),
    );
  } catch {
    return [];
  }
}

function load(): TrackedTask[] {
  try {
    return parseTasks(localStorage.getItem(KEY));
  } catch {
    return [];
  }
}

let tasks = load();
const listeners = new Set<() => void>();

function keep(next: TrackedTask[]): void {
  tasks = next.slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(tasks));
  } catch {
    // Until the page is closed, then.
  }
  listeners.forEach((l) => l());
}

export function trackTask(task: { id: string; title: string }): void {
  keep([{ ...task, at: new Date().toISOString() }, ...tasks.filter((t) => t.id !== task.id)]);
}

export function forgetTasks(ids: readonly string[]): void {
  keep(tasks.filter((t) => !ids.includes(t.id)));
}

if (typeof window !== 'undefined') {
  // Begun in another tab of the same browser.
  window.addEventListener('storage', (e) => {
    if (e.key !== KEY) return;
    tasks = parseTasks(e.newValue);
    listeners.forEach((l) => l());
  });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTrackedTasks(): TrackedTask[] {
  return useSyncExternalStore(subscribe, () => tasks);
}
