// SPDX-License-Identifier: Apache-2.0
/** Files that servers sent for the deep scan: what is kept and until when, held, deleted, taken out encrypted. */
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { HostLink } from '@/parts/links';
import { sizeText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { Status, Tag, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { OfHost, useOfHost } from '@/pages/isolated/linked';
import { DeleteSample, DeleteSamples, Hold } from './SampleActions';
import { SampleDownload } from './SampleDownload';
import { DigestLink } from './DigestLink';
import { About, ProgramTabs, useOwnProject } from './tabs';

type Row = Schema<'Sample'>;

const STATES = ['receiving', 'stored', 'failed', 'deleting', 'deleted'];
const idOf = (row: Row) => `${row.project} ${row.sha256}`;

export default function Samples() {
  const { t, i18n } = useTranslation('programs');
  const word = useWord();
  const options = useOptions();
  const navigate = useNavigate();
  const can = useCan();
  const project = useOwnProject();
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'state', kind: 'many', label: t('column.state'), options: options('sampleState', STATES) },
      { name: 'held', kind: 'flag', label: t('column.hold') },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<QueryOf<'/api/v1/samples'>>(fields);
  const ofHost = useOfHost();
  const rows = useList('/api/v1/samples', { query: { ...filters.query, ...ofHost.query, project } }, idOf);
  const progress = (row: Row) => (row.state === 'receiving' && row.size > 0 ? ` ${Math.floor((100 * row.have) / row.size)} %` : '');
  const why = (row: Row) => (row.deleted_at ? [row.deleted_by, row.deleted_reason].filter(Boolean).join(': ') : row.reason);
  const columns: Column<Row>[] = [
    {
      id: 'sha256',
      title: t('column.sha256'),
      width: 170,
      grow: 0,
      render: (row) => <DigestLink sha256={row.sha256} />,
      csv: (row) => row.sha256,
    },
    {
      id: 'state',
      title: t('column.state'),
      width: 130,
      grow: 0,
      render: (row) => (
        <>
          <Status kind="sampleState" value={row.state} />
          {progress(row)}
        </>
      ),
      csv: (row) => word('sampleState', row.state),
    },
    {
      id: 'hold',
      title: t('column.hold'),
      width: 150,
      render: (row) =>
        row.hold ? (
          <span className="tags" title={`${row.hold.by}: ${row.hold.reason}`}>
            <Tag tone="medium">{t('held')}</Tag> <HostText text={row.hold.reason} />
          </span>
        ) : (
          '-'
        ),
      csv: (row) => (row.hold ? `${row.hold.by}: ${row.hold.reason}` : ''),
    },
    { id: 'kind', title: t('column.kind'), width: 100, grow: 0, render: (row) => word('fileKind', row.kind), csv: (row) => word('fileKind', row.kind) },
    { id: 'size', title: t('column.size'), width: 90, grow: 0, align: 'right', render: (row) => sizeText(row.size, i18n.language), csv: (row) => row.size },
    { id: 'host', title: t('column.host'), width: 130, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'stored', title: t('column.stored'), width: 160, grow: 0, render: (row) => <Time at={row.stored_at} />, csv: (row) => row.stored_at },
    { id: 'until', title: t('column.until'), width: 110, grow: 0, render: (row) => (row.kept_until ? <Time at={row.kept_until} way="day" /> : '-'), csv: (row) => row.kept_until },
    { id: 'reason', title: t('reason'), width: 150, render: (row) => <HostText text={why(row)} />, csv: why },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 260,
      grow: 0,
      render: (row) => (
        <span className="tags">
          {row.state === 'stored' && can('download', row.project) && (
            <SampleDownload sha256={row.sha256} project={row.project} bytes={row.size} button={{ size: 'small' }} />
          )}
          <Hold of={row} />
          <DeleteSample of={row} />
        </span>
      ),
    },
  ];
  return (
    <Page title={t('programs.heading')} about={<About>{t('samples.about')}</About>} tabs={<ProgramTabs />}>
      <FilterBar id="samples" of={filters} />
      <OfHost of={ofHost} />
      <DataTable
        id="samples"
        label={t('samples.title')}
        rows={rows}
        idOf={idOf}
        columns={columns.filter((c) => c.id !== 'actions' || can('administer', project) || can('download', project))}
        filtered={filters.active > 0 || ofHost.active}
        onClearFilters={filters.clear}
        empty={t('samples.empty')}
        onOpen={(row) => void navigate({ to: '/programs/$id', params: { id: row.sha256 } })}
        batch={can('administer', project) ? (chosen, clear) => <DeleteSamples chosen={chosen} onDone={clear} /> : undefined}
      />
    </Page>
  );
}
