// SPDX-License-Identifier: Apache-2.0
/** Orders that wait for a second person, and what became of them. */
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ThingLink } from '@/parts/links';
import { Page } from '@/parts/Page';
import { holds, keepRows, useProjects } from '@/parts/projects';
import { Status, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Row = Schema<'Approval'>;

export default function Approvals() {
  const { t } = useTranslation('approvals');
  const word = useWord();
  const options = useOptions();
  const navigate = useNavigate();
  const { project } = useProject();
  const { nameOf } = useProjects();
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.text') },
      { name: 'state', kind: 'one', label: t('filter.state'), options: options('approvalState', ['pending', 'approved', 'rejected', 'cancelled', 'expired']) },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<QueryOf<'/api/v1/approvals'>>(fields);
  const { state } = filters.query;
  const rows = keepRows(
    wholeList(useGet('/api/v1/approvals', { query: state ? { state } : {} }, { refetchInterval: 15_000 })),
    (a) => holds(filters.values.text, a.title, a.ordered_by, a.decided_by) && (!project || a.projects.includes(project)),
  );
  const columns: Column<Row>[] = [
    { id: 'title', title: t('column.title'), width: 300, grow: 3, render: (row) => <ThingLink to="/approvals/$id" id={row.id}><HostText text={row.title} /></ThingLink>, csv: (row) => row.title },
    { id: 'state', title: t('column.state'), width: 110, grow: 0, render: (row) => <Status kind="approvalState" value={row.state} />, csv: (row) => word('approvalState', row.state) },
    { id: 'by', title: t('column.by'), width: 120, render: (row) => <HostText text={row.ordered_by} />, csv: (row) => row.ordered_by },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'expires', title: t('column.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    { id: 'decidedBy', title: t('column.decidedBy'), width: 120, render: (row) => <HostText text={row.decided_by} />, csv: (row) => row.decided_by },
    { id: 'projects', title: t('column.projects'), width: 140, render: (row) => <HostText text={row.projects.map(nameOf).join(', ')} />, csv: (row) => row.projects.join(' ') },
  ];
  return (
    <Page title={t('approvals.title')} about={t('about')}>
      <FilterBar id="approvals" of={filters} />
      <DataTable id="approvals" label={t('approvals.title')} rows={rows} idOf={(row) => row.id} columns={columns} filtered={filters.active > 0 || Boolean(project)} onClearFilters={filters.clear} empty={t('none')} onOpen={(row) => void navigate({ to: '/approvals/$id', params: { id: row.id } })} />
    </Page>
  );
}
