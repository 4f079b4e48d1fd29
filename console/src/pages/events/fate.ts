// SPDX-License-Identifier: Apache-2.0
/** What became of a program, said no further than its alarm says it. */
import type { Schema } from '@/api/types';
import type { AlarmRow } from '@/pages/alarms/handle/verbs';

export type Fate = 'isolated' | 'wasIsolated' | 'notIsolated' | 'failed' | 'frozen' | 'thawed' | 'rehearsed' | 'denied' | 'alarmed' | 'restored';

type Row = Pick<AlarmRow, 'decision' | 'isolated' | 'handled' | 'title'>;
type Records = readonly Pick<Schema<'ActionRecord'>, 'action' | 'outcome'>[];

/** The agent's word stands in the title before the path, which always begins with `/`. */
function saidBefore(title: string): string {
  const path = title.indexOf(': /');
  return path < 0 ? '' : title.slice(0, path);
}

/** What the row says by itself. */
export function fateOf(row: Row): Fate {
  // A restore from the list of isolated files opens the alarm again, and leaves the file's id in it.
  if (row.isolated) return row.handled?.by === 'isolate_and_kill' ? 'isolated' : 'wasIsolated';
  const said = saidBefore(row.title);
  if (/ would have been (isolated and killed|refused)$/.test(said)) return 'rehearsed';
  if (row.decision === 'isolate_and_kill') {
    if (said.endsWith(' frozen')) return 'frozen';
    return said.endsWith(' thawed') ? 'thawed' : 'notIsolated';
  }
  return row.decision === 'deny' ? 'denied' : 'alarmed';
}

/** Whether only the alarm's own records can say it. */
export function isUnsure(fate: Fate): boolean {
  return fate === 'wasIsolated' || fate === 'notIsolated';
}

const CAME_ABOUT = ['done', 'partial', 'already_gone'];

/** With the records of what was done, the oldest first: the last isolation or restore counts. */
export function fateBy(row: Row, records: Records): Fate {
  const fate = fateOf(row);
  if (!isUnsure(fate)) return fate;
  const last = records.filter((r) => r.action === 'restore' || r.action === 'isolate').at(-1);
  if (last?.action === 'restore' && CAME_ABOUT.includes(last.outcome)) return 'restored';
  if (row.isolated) return 'isolated';
  return last?.action === 'isolate' && !CAME_ABOUT.includes(last.outcome) ? 'failed' : fate;
}
