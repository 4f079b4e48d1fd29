// SPDX-License-Identifier: Apache-2.0
/** What people wrote. */
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Page } from '@/parts/Page';
import { Allowed } from '@/app/states';

type Row = Schema<'AuditEntry'>;

function AuditList() {
  const { t } = useTranslation('audit');
  const rows = useList('/api/v1/audit', {}, (row) => String(row.seq));
  const columns: Column<Row>[] = [
    { id: 'seq', title: t('column.seq'), width: 80, grow: 0, render: (row) => row.seq, csv: (row) => row.seq },
    { id: 'at', title: t('column.at'), width: 160, grow: 0, render: (row) => <Time at={row.at} />, csv: (row) => row.at },
    { id: 'who', title: t('column.who'), width: 120, render: (row) => <HostText text={row.who} />, csv: (row) => row.who },
    { id: 'address', title: t('column.address'), width: 130, render: (row) => <HostText text={row.address} />, csv: (row) => row.address },
    { id: 'action', title: t('column.action'), width: 180, render: (row) => <HostText text={row.action} />, csv: (row) => row.action },
    { id: 'target', title: t('column.target'), width: 220, grow: 2, render: (row) => <HostText text={row.target} />, csv: (row) => row.target },
    { id: 'outcome', title: t('column.outcome'), width: 160, render: (row) => <HostText text={row.outcome} />, csv: (row) => row.outcome },
  ];
  return (
    <Page title={t('audit.title')}>
      <DataTable id="audit-audit" label={t('audit.title')} rows={rows} idOf={(row) => String(row.seq)} columns={columns} />
    </Page>
  );
}

export default function Audit() {
  return (
    <Allowed to="audit">
      <AuditList />
    </Allowed>
  );
}
