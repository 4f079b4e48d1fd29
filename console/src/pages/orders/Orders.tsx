// SPDX-License-Identifier: Apache-2.0
/** Orders to servers and what came of each. */
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Status, useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'Command'>;

export default function Orders() {
  const { t } = useTranslation('orders');
  const word = useWord();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/commands', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    { id: 'verb', title: t('column.verb'), width: 170, grow: 0, render: (row) => word('orderVerb', row.verb), csv: (row) => word('orderVerb', row.verb) },
    { id: 'state', title: t('column.state'), width: 110, grow: 0, render: (row) => <Status kind="commandState" value={row.state} />, csv: (row) => word('commandState', row.state) },
    { id: 'by', title: t('column.by'), width: 130, render: (row) => <HostText text={row.ordered_by} />, csv: (row) => row.ordered_by },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'finished', title: t('column.finished'), width: 160, grow: 0, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
    { id: 'reason', title: t('column.reason'), width: 220, grow: 2, render: (row) => <HostText text={row.reason} />, csv: (row) => row.reason },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('orders.title')}>
      <DataTable id="orders-orders" label={t('orders.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
