// SPDX-License-Identifier: Apache-2.0
/** What the deep scan looked at, looks at, and set aside because it ended the scanner; scanned again by a click. */
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
import { Page } from '@/parts/Page';
import { Status, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { RescanButton } from './RescanButton';
import { DigestLink } from './DigestLink';
import { About, ProgramTabs, useOwnProject } from './tabs';

type Row = Schema<'DeepScan'>;

const STATES = ['queued', 'scanning', 'done', 'set_aside', 'cancelled'];

export default function DeepScans() {
  const { t } = useTranslation('programs');
  const word = useWord();
  const options = useOptions();
  const navigate = useNavigate();
  const can = useCan();
  const project = useOwnProject();
  const fields = useMemo<FilterField[]>(
    () => [{ name: 'state', kind: 'many', label: t('column.state'), options: options('deepScanState', STATES) }],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<QueryOf<'/api/v1/deep-scans'>>(fields);
  const rows = useList('/api/v1/deep-scans', { query: { ...filters.query, project } }, (row) => row.id);
  const columns: Column<Row>[] = [
    {
      id: 'sha256',
      title: t('column.sha256'),
      width: 170,
      grow: 0,
      render: (row) => <DigestLink sha256={row.sha256} />,
      csv: (row) => row.sha256,
    },
    { id: 'state', title: t('column.state'), width: 120, grow: 0, render: (row) => <Status kind="deepScanState" value={row.state} />, csv: (row) => word('deepScanState', row.state) },
    { id: 'result', title: t('column.result'), width: 120, grow: 0, render: (row) => <Status kind="standing" value={row.standing} />, csv: (row) => word('standing', row.standing) },
    { id: 'reason', title: t('reason'), width: 220, grow: 2, render: (row) => <span title={row.reason}><HostText text={row.reason} /></span>, csv: (row) => row.reason },
    { id: 'tries', title: t('column.tries'), width: 80, grow: 0, align: 'right', render: (row) => row.tries, csv: (row) => row.tries },
    { id: 'crashes', title: t('column.crashes'), width: 90, grow: 0, align: 'right', render: (row) => row.crashes, csv: (row) => row.crashes },
    { id: 'queued', title: t('column.queued'), width: 160, grow: 0, render: (row) => <Time at={row.queued_at} />, csv: (row) => row.queued_at },
    { id: 'started', title: t('column.started'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.started_at} />, csv: (row) => row.started_at },
    { id: 'finished', title: t('column.finished'), width: 160, grow: 0, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
    { id: 'due', title: t('column.due'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.due_at} />, csv: (row) => row.due_at },
    { id: 'worker', title: t('column.worker'), width: 160, hidden: true, render: (row) => <HostText text={row.worker} />, csv: (row) => row.worker },
  ];
  return (
    <Page title={t('programs.heading')} about={<About>{t('deepScans.about')}</About>} tabs={<ProgramTabs />}>
      <FilterBar id="deep-scans" of={filters} />
      <DataTable
        id="deep-scans"
        label={t('deepScans.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        empty={t('deepScans.empty')}
        onOpen={(row) => void navigate({ to: '/programs/$id', params: { id: row.sha256 } })}
        batch={
          can('operate', project)
            ? (chosen, clear) => (
                <RescanButton project={project} files={[...new Set(chosen.map((d) => d.sha256))]} onDone={clear} button={{ size: 'small' }} />
              )
            : undefined
        }
      />
    </Page>
  );
}
