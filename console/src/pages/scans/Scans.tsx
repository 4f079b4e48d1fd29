// SPDX-License-Identifier: Apache-2.0
/** Scans that run or ran. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Status, useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'ScanTask'>;

export default function Scans() {
  const { t } = useTranslation('scans');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/scan-tasks', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 200, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'kind', title: t('column.kind'), width: 120, grow: 0, render: (row) => word('scanKind', row.kind), csv: (row) => word('scanKind', row.kind) },
    { id: 'status', title: t('column.status'), width: 110, grow: 0, render: (row) => <Status kind="scanStatus" value={row.task_status} />, csv: (row) => word('scanStatus', row.task_status) },
    { id: 'by', title: t('column.by'), width: 130, render: (row) => <HostText text={row.started_by} />, csv: (row) => row.started_by },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'finished', title: t('column.finished'), width: 160, grow: 0, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('scans.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/scans', name: t('scans.title') }, { to: '/scans/plans', name: t('scanPlans.title') }]} />}>
      <DataTable id="scans-scans" label={t('scans.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/scans/$id', params: { id: row.id } })} />
    </Page>
  );
}
