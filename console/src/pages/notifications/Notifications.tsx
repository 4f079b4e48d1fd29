// SPDX-License-Identifier: Apache-2.0
/** Where alarms are told to. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'Target'>;

export default function Notifications() {
  const { t } = useTranslation('notifications');
  const word = useWord();
  const navigate = useNavigate();
  const rows = wholeList(useGet('/api/v1/targets'));
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 200, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'kind', title: t('column.kind'), width: 120, grow: 0, render: (row) => word('targetKind', row.kind), csv: (row) => word('targetKind', row.kind) },
    { id: 'enabled', title: t('column.enabled'), width: 90, grow: 0, render: (row) => t(row.enabled ? 'on' : 'off'), csv: (row) => row.enabled },
    { id: 'updatedBy', title: t('column.updatedBy'), width: 130, render: (row) => <HostText text={row.updated_by} />, csv: (row) => row.updated_by },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, render: (row) => <Time at={row.updated_at} />, csv: (row) => row.updated_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project ?? t('every'), csv: (row) => row.project },
  ];
  return (
    <Page title={t('notifications.title')}>
      <DataTable id="notifications-notifications" label={t('notifications.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/notifications/$id', params: { id: row.id } })} />
    </Page>
  );
}
