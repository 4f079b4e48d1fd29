// SPDX-License-Identifier: Apache-2.0
/** Server alarms: filters, the list, the way to each alarm. */
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { FileName, HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { HostLink, ThingLink } from '@/parts/links';
import { Page } from '@/parts/Page';
import { Rating, Severity, Status, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Row = Schema<'AlarmItem'>;

const SEVERITIES = ['critical', 'high', 'medium', 'low'];
const RATINGS = ['high', 'medium', 'low'];

export default function Alarms() {
  const { t } = useTranslation('alarms');
  const word = useWord();
  const options = useOptions();
  const navigate = useNavigate();
  const { projectQuery } = useProject();

  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.text') },
      { name: 'severity', kind: 'many', label: t('filter.severity'), options: options('severity', SEVERITIES) },
      { name: 'rating', kind: 'many', label: t('filter.rating'), options: options('rating', RATINGS) },
      { name: 'handle_status', kind: 'one', label: t('filter.status'), options: options('handleStatus', ['unhandled', 'handled']) },
      { name: 'host_name', kind: 'text', label: t('filter.host') },
      { name: 'period', kind: 'period', label: t('filter.period'), days: true },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<QueryOf<'/api/v1/alarms'>>(fields);
  const rows = useList('/api/v1/alarms', { query: { ...filters.query, ...projectQuery } }, (row) => row.id);

  const columns: Column<Row>[] = [
    {
      id: 'title',
      title: t('column.title'),
      width: 220,
      grow: 2,
      render: (row) => (
        <ThingLink to="/alarms/$id" id={row.id}>
          <HostText text={row.title} />
        </ThingLink>
      ),
      csv: (row) => row.title,
    },
    { id: 'severity', title: t('column.severity'), width: 90, grow: 0, render: (row) => <Severity value={row.severity} />, csv: (row) => word('severity', row.severity) },
    { id: 'rating', title: t('column.rating'), width: 110, grow: 0, render: (row) => <Rating value={row.rating} confidence={row.confidence} />, csv: (row) => row.confidence },
    { id: 'path', title: t('column.path'), width: 240, grow: 2, render: (row) => <FileName name={row.path} bytes={row.path_b64} cut />, csv: (row) => row.path },
    { id: 'host', title: t('column.host'), width: 150, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'class', title: t('column.class'), width: 120, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    { id: 'status', title: t('column.status'), width: 100, grow: 0, render: (row) => <Status kind="handleStatus" value={row.handle_status} />, csv: (row) => word('handleStatus', row.handle_status) },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => <Time at={row.last} />, csv: (row) => row.last },
    { id: 'count', title: t('column.count'), width: 70, grow: 0, align: 'right', render: (row) => row.count, csv: (row) => row.count },
    { id: 'sha256', title: t('column.sha256'), width: 160, hidden: true, render: (row) => row.sha256 ?? '-', csv: (row) => row.sha256 },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, hidden: true, render: (row) => row.project, csv: (row) => row.project },
  ];

  return (
    <Page title={t('title')}>
      <FilterBar id="alarms" of={filters} />
      <DataTable
        id="alarms"
        label={t('title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        onOpen={(row) => void navigate({ to: '/alarms/$id', params: { id: row.id } })}
      />
    </Page>
  );
}
