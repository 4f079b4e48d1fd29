// SPDX-License-Identifier: Apache-2.0
/** Takes orders back, as far as hosts have not done them yet. */
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useFeedback } from '@/parts/feedback';

type Ordered = Schema<'Ordered'>;

/** `ordered(answer, title, takeBack(answer))`: the undo of orders to hosts that are away or busy. */
export function useTakeBack(): (answer: Ordered) => { undo: () => Promise<unknown>; undoLabel: string } | undefined {
  const { t } = useTranslation('isolated');
  const { done } = useFeedback();
  const cancel = useSend('post', '/api/v1/tasks/{id}/cancel', {
    changes: ['/api/v1/tasks', '/api/v1/commands', '/api/v1/isolated-files'],
  });
  return (answer) => {
    const task = answer.task;
    if (!task) return undefined;
    return {
      undoLabel: t('takeBack'),
      undo: async () => {
        const { commands } = await cancel.mutateAsync({ path: { id: task } });
        done(commands > 0 ? t('tookBack', { count: commands }) : t('tookBackNone'));
      },
    };
  };
}
