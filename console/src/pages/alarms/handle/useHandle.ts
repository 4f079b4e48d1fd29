// SPDX-License-Identifier: Apache-2.0
/** Gives a verb to alarms, tells what came of it, and offers to take it back. */
import { useTranslation } from 'react-i18next';
import { read, useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useFeedback } from '@/parts/feedback';
import { useWord } from '@/parts/tags';
import { fits, inverseOf, type AlarmRow, type Verb } from './verbs';

/** What looks different after a handling. */
export const HANDLING_CHANGES = [
  '/api/v1/alarms',
  '/api/v1/isolated-files',
  '/api/v1/whitelist',
  '/api/v1/tasks',
  '/api/v1/commands',
];

const LOOKS = 30;
const PAUSE_MS = 700;

/** Waits for the hosts: what they have not done yet cannot be taken back. Hosts that are away are not waited for. */
export async function taskOver(id: string): Promise<void> {
  for (let i = 0; i < LOOKS; i += 1) {
    if ((await read('/api/v1/tasks/{id}', { path: { id } })).finished) return;
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

export function useHandle(): (alarms: readonly AlarmRow[], verb: Verb, remark: string) => Promise<Schema<'Ordered'>> {
  const { t } = useTranslation('alarms');
  const word = useWord();
  const { ordered } = useFeedback();
  const send = useSend('post', '/api/v1/alarms/handle', { changes: HANDLING_CHANGES });

  const give = (alarms: string[], verb: Verb, remark: string) =>
    send.mutateAsync({ body: { alarms, operate_type: verb, remark } });
  const title = (verb: Verb, count: number) => t('handle.ordered', { count, verb: word('verb', verb) });

  return async (alarms, verb, remark) => {
    const ids = alarms.filter((a) => fits(a, verb)).map((a) => a.id);
    const answer = await give(ids, verb, remark);
    const refused = new Set(answer.refused.map((r) => r.id));
    const took = ids.filter((id) => !refused.has(id));
    const back = inverseOf(verb);
    ordered(answer, title(verb, took.length), {
      undoLabel: word('verb', back),
      undo: async () => {
        if (answer.task) await taskOver(answer.task);
        ordered(await give(took, back, ''), title(back, took.length));
      },
    });
    return answer;
  };
}
