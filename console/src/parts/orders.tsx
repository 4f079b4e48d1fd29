// SPDX-License-Identifier: Apache-2.0
/** How orders to hosts stand: a bar for one task, and the drawer with all that were begun here. */
import { SyncOutlined } from '@ant-design/icons';
import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { keyOf, read } from '@/api/hooks';
import { isKind } from '@/api/errors';
import type { Schema } from '@/api/types';
import { useTrackedTasks, type TrackedTask } from './orderList';
import { useWord } from './tags';

export type Task = Schema<'Task'>;

export interface RunningTask {
  tracked: TrackedTask;
  task: Task | undefined;
  /** It is not there for this person any more. */
  gone: boolean;
}

/** Live changes make them old; the clock is for when the stream is broken. */
export function useRunning(): RunningTask[] {
  const tracked = useTrackedTasks();
  return useQueries({
    queries: tracked.map((t) => ({
      queryKey: keyOf('/api/v1/tasks/{id}', { path: { id: t.id } }),
      queryFn: ({ signal }: { signal: AbortSignal }) => read('/api/v1/tasks/{id}', { path: { id: t.id } }, signal),
      refetchInterval: (q: { state: { data?: Task; error: unknown } }) =>
        q.state.data?.finished || q.state.error ? false : 10_000,
      staleTime: (q: { state: { data?: Task } }) => (q.state.data?.finished ? Infinity : 2000),
    })),
    combine: (found) =>
      found.flatMap((f, i): RunningTask[] => {
        const t = tracked[i];
        return t ? [{ tracked: t, task: f.data, gone: isKind(f.error, 'not-found') }] : [];
      }),
  });
}

const ENDED = ['done', 'partial', 'refused', 'failed', 'expired', 'cancelled'];

/** Share of a task's orders that have ended, 0 to 100. */
export function shareEnded(task: Pick<Task, 'by_state' | 'total'>): number {
  if (task.total === 0) return 100;
  const ended = task.by_state.filter((c) => ENDED.includes(c.word)).reduce((sum, c) => sum + c.count, 0);
  return Math.round((100 * ended) / task.total);
}

/** A bar with words: how many hosts are done, refused, failed, still waiting. */
export function TaskProgress({ task }: { task: Task }) {
  const { t } = useTranslation('parts');
  const word = useWord();
  const share = shareEnded(task);
  const bad = task.by_state.some((c) => ['failed', 'refused', 'partial'].includes(c.word) && c.count > 0);
  return (
    <div className="progress">
      <div
        className="progress-line"
        role="progressbar"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={share}
        aria-label={t('orders.progress')}
      >
        <div className={bad ? 'progress-part progress-bad' : 'progress-part'} style={{ width: `${share}%` }} />
      </div>
      <div className="progress-words">
        {task.by_state
          .filter((c) => c.count > 0)
          .map((c) => `${word('commandState', c.word)} ${c.count}`)
          .join(' · ')}
      </div>
    </div>
  );
}

const RunningDrawer = lazy(() => import('./RunningDrawer'));

/** In the header: how many orders are not done yet. */
export function RunningButton() {
  const { t } = useTranslation('parts');
  const [open, setOpen] = useState(false);
  const running = useRunning();
  const unfinished = running.filter((r) => r.task && !r.task.finished).length;
  return (
    <>
      <button
        type="button"
        className="top-button"
        aria-haspopup="dialog"
        aria-label={t('orders.button', { count: unfinished })}
        title={t('orders.title')}
        onClick={() => setOpen(true)}
      >
        <SyncOutlined spin={unfinished > 0} aria-hidden />
        {unfinished > 0 && <span className="badge">{unfinished}</span>}
      </button>
      {open && (
        <Suspense fallback={null}>
          <RunningDrawer running={running} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}

export function TaskLink({ id, children, onClick }: { id: string; children: React.ReactNode; onClick?: () => void }) {
  return (
    <Link to="/orders/$id" params={{ id }} onClick={onClick}>
      {children}
    </Link>
  );
}
