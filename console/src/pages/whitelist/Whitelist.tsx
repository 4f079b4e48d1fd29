// SPDX-License-Identifier: Apache-2.0
/** What raises no alarm, and how often it let something through. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { FileName, HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'WhitelistEntry'>;

export default function Whitelist() {
  const { t } = useTranslation('whitelist');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/whitelist', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    { id: 'field', title: t('column.field'), width: 120, grow: 0, render: (row) => word('whitelistField', row.field), csv: (row) => word('whitelistField', row.field) },
    { id: 'judge', title: t('column.judge'), width: 100, grow: 0, render: (row) => word('judge', row.judge), csv: (row) => word('judge', row.judge) },
    { id: 'value', title: t('column.value'), width: 260, grow: 2, render: (row) => <FileName name={row.value} bytes={row.value_b64} cut />, csv: (row) => row.value },
    { id: 'class', title: t('column.class'), width: 120, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    { id: 'scope', title: t('column.scope'), width: 100, grow: 0, render: (row) => word('scope', row.scope), csv: (row) => word('scope', row.scope) },
    { id: 'hits', title: t('column.hits'), width: 110, grow: 0, render: (row) => row.hits_total, csv: (row) => row.hits_total },
    { id: 'owner', title: t('column.owner'), width: 110, render: (row) => <HostText text={row.owner} />, csv: (row) => row.owner },
    { id: 'expires', title: t('column.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    { id: 'description', title: t('column.description'), width: 160, render: (row) => <HostText text={row.description} />, csv: (row) => row.description },
  ];
  return (
    <Page title={t('whitelist.title')}>
      <DataTable id="whitelist-whitelist" label={t('whitelist.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/whitelist/$id', params: { id: row.id } })} />
    </Page>
  );
}
