// SPDX-License-Identifier: Apache-2.0
/** Scans that run and ran, each with how far it is. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { ThingLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Page, PageTabs } from '@/parts/Page';
import { Status, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { Bar } from './Bar';
import { NewScan } from './NewScan';
import { ScanActions } from './ScanActions';
import './scans.css';

type Row = Schema<'ScanTask'>;

export function ScanTabs() {
  const { t } = useTranslation('scans');
  return (
    <PageTabs
      label={t('tabs')}
      tabs={[
        { to: '/scans', name: t('scans.title') },
        { to: '/scans/plans', name: t('scanPlans.title') },
      ]}
    />
  );
}

/** Asked row by row, and only of those in sight. */
function Standing({ id, what }: { id: string; what: 'bar' | 'hosts' | 'found' }) {
  const { i18n } = useTranslation('scans');
  const found = useGet('/api/v1/scan-tasks/{id}', { path: { id } }, { staleTime: 5000 });
  const s = found.data;
  if (!s) return <span className="none">-</span>;
  if (what === 'bar') return <Bar permille={s.permille} bad={s.by_state.some((c) => c.word === 'fail' && c.count > 0)} />;
  return <>{numberText(what === 'hosts' ? s.host_num : s.virus_num, i18n.language)}</>;
}

export default function Scans() {
  const { t } = useTranslation('scans');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/scan-tasks', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    {
      id: 'name',
      title: t('column.name'),
      width: 200,
      grow: 2,
      render: (row) => (
        <ThingLink to="/scans/$id" id={row.id}>
          <HostText text={row.name} />
        </ThingLink>
      ),
      csv: (row) => row.name,
    },
    { id: 'status', title: t('column.status'), width: 110, grow: 0, render: (row) => <Status kind="scanStatus" value={row.task_status} />, csv: (row) => word('scanStatus', row.task_status) },
    { id: 'progress', title: t('column.progress'), width: 150, render: (row) => <Standing id={row.id} what="bar" /> },
    { id: 'hosts', title: t('column.hosts'), width: 80, grow: 0, align: 'right', render: (row) => <Standing id={row.id} what="hosts" /> },
    { id: 'found', title: t('column.found'), width: 80, grow: 0, align: 'right', render: (row) => <Standing id={row.id} what="found" /> },
    { id: 'kind', title: t('column.kind'), width: 90, grow: 0, render: (row) => word('scanKind', row.kind), csv: (row) => word('scanKind', row.kind) },
    { id: 'by', title: t('column.by'), width: 120, render: (row) => <HostText text={row.started_by} />, csv: (row) => row.started_by },
    { id: 'plan', title: t('column.plan'), width: 90, grow: 0, render: (row) => (row.policy ? t('yes') : t('no')), csv: (row) => row.policy },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'finished', title: t('column.finished'), width: 160, grow: 0, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, hidden: true, render: (row) => <HostText text={row.project} />, csv: (row) => row.project },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 160,
      grow: 0,
      render: (row) => (
        <span className="tight">
          <ScanActions of={row} size="small" />
        </span>
      ),
    },
  ];
  return (
    <Page title={t('heading')} about={t('about')} tabs={<ScanTabs />} actions={<NewScan />}>
      <DataTable
        id="scans"
        label={t('scans.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        empty={t('scans.empty')}
        onOpen={(row) => void navigate({ to: '/scans/$id', params: { id: row.id } })}
      />
    </Page>
  );
}
