// SPDX-License-Identifier: Apache-2.0
/** How servers judge and act, by policy group. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Page } from '@/parts/Page';

type Row = Schema<'PolicyGroup'>;

export default function PolicyGroups() {
  const { t } = useTranslation('policies');
  const navigate = useNavigate();
  const rows = wholeList(useGet('/api/v1/policy-groups'));
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 200, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'description', title: t('column.description'), width: 240, render: (row) => <HostText text={row.description} />, csv: (row) => row.description },
    { id: 'updatedBy', title: t('column.updatedBy'), width: 130, render: (row) => <HostText text={row.updated_by} />, csv: (row) => row.updated_by },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, render: (row) => <Time at={row.updated_at} />, csv: (row) => row.updated_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('policyGroups.title')}>
      <DataTable id="policies-policyGroups" label={t('policyGroups.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/policies/$id', params: { id: row.id } })} />
    </Page>
  );
}
