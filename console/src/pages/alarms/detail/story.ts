// SPDX-License-Identifier: Apache-2.0
/** What happened to an alarm, as one line of time: seen, refused, frozen, killed, isolated, ordered, handled. */
import type { Schema } from '@/api/types';

type AlarmFull = Schema<'AlarmFull'>;
type Row = Pick<Schema<'AlarmItem'>, 'at' | 'last' | 'count' | 'origin'>;

export type Moment = { at: string } & (
  | { kind: 'seen'; origin: string }
  | { kind: 'again'; count: number }
  | { kind: 'action'; action: string; outcome: string; target: string; reason: string }
  | { kind: 'window' }
  | { kind: 'handled'; verb: string; who: string; remark: string }
  | { kind: 'ordered'; verb: string; who: string; id: string }
  | { kind: 'answered'; verb: string; state: string; reason: string; id: string }
  | { kind: 'returned'; alarm: string }
);

/** Of one moment the cause stands before what follows from it. */
const ORDER: readonly Moment['kind'][] = ['seen', 'ordered', 'action', 'answered', 'window', 'handled', 'again', 'returned'];

export function storyOf(full: Pick<AlarmFull, 'alarm' | 'history' | 'commands'> & { summary: Row }): Moment[] {
  const { summary, alarm } = full;
  const moments: Moment[] = [{ at: summary.at, kind: 'seen', origin: summary.origin }];
  for (const a of alarm?.timeline ?? []) moments.push({ kind: 'action', ...a });
  if (alarm?.frozen_until) moments.push({ at: alarm.frozen_until, kind: 'window' });
  for (const h of full.history) {
    moments.push({ at: h.at, kind: 'handled', verb: h.operate_type, who: h.who, remark: h.remark });
  }
  for (const c of full.commands) {
    moments.push({ at: c.created_at, kind: 'ordered', verb: c.verb, who: c.ordered_by, id: c.id });
    if (c.finished_at) {
      moments.push({
        at: c.finished_at,
        kind: 'answered',
        verb: c.verb,
        state: c.state,
        reason: c.result?.reason || c.reason,
        id: c.id,
      });
    }
  }
  for (const r of alarm?.persistence?.returned ?? []) moments.push({ at: r.at, kind: 'returned', alarm: r.alarm });
  if (summary.count > 1 && summary.last !== summary.at) moments.push({ at: summary.last, kind: 'again', count: summary.count });
  return moments.sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/** `+0.013 s` for what comes within a minute; later the time itself says enough. */
export function sinceText(at: string, seen: string): string {
  const ms = Date.parse(at) - Date.parse(seen);
  if (!(ms >= 0 && ms < 60_000)) return '';
  return `+${(ms / 1000).toFixed(3)} s`;
}
