// SPDX-License-Identifier: Apache-2.0
/** Orders that wait for a second person, and what became of them. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Status, useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'Approval'>;

export default function Approvals() {
  const { t } = useTranslation('approvals');
  const word = useWord();
  const navigate = useNavigate();
  const rows = wholeList(useGet('/api/v1/approvals'));
  const columns: Column<Row>[] = [
    { id: 'title', title: t('column.title'), width: 280, grow: 2, render: (row) => <HostText text={row.title} />, csv: (row) => row.title },
    { id: 'state', title: t('column.state'), width: 110, grow: 0, render: (row) => <Status kind="approvalState" value={row.state} />, csv: (row) => word('approvalState', row.state) },
    { id: 'by', title: t('column.by'), width: 130, render: (row) => <HostText text={row.ordered_by} />, csv: (row) => row.ordered_by },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'expires', title: t('column.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    { id: 'decidedBy', title: t('column.decidedBy'), width: 130, render: (row) => <HostText text={row.decided_by} />, csv: (row) => row.decided_by },
  ];
  return (
    <Page title={t('approvals.title')}>
      <DataTable id="approvals-approvals" label={t('approvals.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/approvals/$id', params: { id: row.id } })} />
    </Page>
  );
}
