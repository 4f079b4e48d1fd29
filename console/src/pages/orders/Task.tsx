// SPDX-License-Identifier: Apache-2.0
/** Orders that were given at once: how far they are, and what came of each server's. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { Shown } from '@/app/states';
import { DataTable } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { JsonView } from '@/parts/JsonView';
import { TaskProgress } from '@/parts/orders';
import { Facts, Page, Panel } from '@/parts/Page';
import { useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { useOrderColumns } from './columns';

export default function Task() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/tasks/{id}', { path: { id } });
  return <Shown of={found}>{(thing) => <Detail of={thing} />}</Shown>;
}

function Detail({ of }: { of: Schema<'Task'> }) {
  const { t } = useTranslation('orders');
  const word = useWord();
  const rows = useList('/api/v1/commands', { query: { task: of.id } }, (row) => row.id);
  const columns = useOrderColumns(rows.rows, false);
  return (
    <Page title={word('orderVerb', of.verb)} crumbs={[{ to: '/orders', name: t('orders.title') }]}>
      <Panel>
        <Facts
          of={[
            [t('column.by'), <HostText key="b" text={of.ordered_by} />],
            [t('column.created'), <Time key="c" at={of.created_at} />],
          ]}
        />
        <TaskProgress task={of} />
      </Panel>
      <Panel title={t('task.orders')} flush>
        <DataTable id="task-orders" label={t('task.orders')} rows={rows} idOf={(row) => row.id} columns={columns} height={420} />
      </Panel>
      <Panel>
        <details>
          <summary>{t('task.raw')}</summary>
          <JsonView value={of} label={t('task.raw')} />
        </details>
      </Panel>
    </Page>
  );
}
