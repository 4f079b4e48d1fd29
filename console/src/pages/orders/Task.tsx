// SPDX-License-Identifier: Apache-2.0
/** Orders that were given at once: how far they are, how each server stands, and the button that stops the rest. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { useList } from '@/api/lists';
import { useCan } from '@/app/permissions';
import { Shown } from '@/app/states';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { HostText } from '@/parts/FileName';
import { useFeedback } from '@/parts/feedback';
import { numberText } from '@/parts/numbers';
import { TaskProgress, type Task as Of } from '@/parts/orders';
import { Facts, Page, Panel } from '@/parts/Page';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { OrderTable } from './OrderTable';

const CHANGES = ['/api/v1/tasks', '/api/v1/commands'];

export default function Task() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  // The stream tells of changes; the clock is for when it is broken.
  const found = useGet('/api/v1/tasks/{id}', { path: { id } }, { refetchInterval: (q) => (q.state.data?.finished ? false : 10_000) });
  return <Shown of={found}>{(task) => <Detail task={task} />}</Shown>;
}

function Detail({ task }: { task: Of }) {
  const { t, i18n } = useTranslation('orders');
  const word = useWord();
  const can = useCan();
  const { done } = useFeedback();
  const rows = useList('/api/v1/commands', { query: { task: task.id } }, (row) => row.id);
  const cancel = useSend('post', '/api/v1/tasks/{id}/cancel', { changes: CHANGES });
  const waiting = task.by_state.filter((c) => ['pending', 'sent'].includes(c.word)).reduce((sum, c) => sum + c.count, 0);
  return (
    <Page
      title={word('orderVerb', task.verb)}
      beside={<Tag tone={task.finished ? 'good' : 'medium'}>{t(task.finished ? 'task.over' : 'task.running')}</Tag>}
      crumbs={[{ to: '/orders', name: t('orders.title') }]}
      actions={
        !task.finished &&
        can('operate') && (
          <ConfirmAction
            label={t('task.cancel')}
            verb={t('task.cancel')}
            title={t('task.cancelTitle')}
            text={t('task.cancelText', { count: waiting })}
            action={async () => {
              await cancel.mutateAsync({ path: { id: task.id } });
              done(t('task.cancelled'));
            }}
          />
        )
      }
    >
      <Panel>
        <TaskProgress task={task} />
        <Facts
          of={[
            [t('column.hosts'), numberText(task.total, i18n.language)],
            [t('column.by'), <HostText key="b" text={task.ordered_by} />],
            [t('column.created'), <Time key="c" at={task.created_at} />],
          ]}
        />
      </Panel>
      <OrderTable id="orders-task" label={t('task.hosts')} rows={rows} ofTask />
    </Page>
  );
}
