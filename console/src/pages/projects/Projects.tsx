// SPDX-License-Identifier: Apache-2.0
/** Projects that one may see. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Page } from '@/parts/Page';

type Row = Schema<'Project'>;

export default function Projects() {
  const { t } = useTranslation('projects');
  const navigate = useNavigate();
  const rows = wholeList(useGet('/api/v1/projects'));
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 260, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'id', title: t('column.id'), width: 160, grow: 0, render: (row) => <code>{row.id}</code>, csv: (row) => row.id },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
  ];
  return (
    <Page title={t('projects.title')}>
      <DataTable id="projects-projects" label={t('projects.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/projects/$id', params: { id: row.id } })} />
    </Page>
  );
}
