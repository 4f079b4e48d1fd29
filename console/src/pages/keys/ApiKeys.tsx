// SPDX-License-Identifier: Apache-2.0
/** The own API keys. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'ApiKey'>;

export default function ApiKeys() {
  const { t } = useTranslation('keys');
  const word = useWord();
  const rows = wholeList(useGet('/api/v1/me/api-keys'));
  const columns: Column<Row>[] = [
    { id: 'note', title: t('column.note'), width: 220, render: (row) => <HostText text={row.note} />, csv: (row) => row.note },
    { id: 'roles', title: t('column.roles'), width: 260, grow: 2, render: (row) => row.grants.length === 0 ? t('allOfMine') : row.grants.map((g) => `${word('role', g.role)} (${g.project})`).join(', '), csv: (row) => row.grants.map((g) => `${g.role}@${g.project}`).join(' ') },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'used', title: t('column.used'), width: 160, grow: 0, render: (row) => <Time at={row.last_used_at} />, csv: (row) => row.last_used_at },
    { id: 'expires', title: t('column.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
  ];
  return (
    <Page title={t('apiKeys.title')}>
      <DataTable id="keys-apiKeys" label={t('apiKeys.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
