// SPDX-License-Identifier: Apache-2.0
/** One scan: how far it is, how each server stands and why one failed, and what was found. */
import { Link, useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { Shown } from '@/app/states';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { HostLink, ListLink } from '@/parts/links';
import { numberText, sizeText } from '@/parts/numbers';
import { Facts, Page, Panel } from '@/parts/Page';
import { Status, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { Bar } from './Bar';
import { Found } from './Found';
import { ScanActions } from './ScanActions';
import './scans.css';

type Full = Schema<'ScanTaskFull'>;
type Row = Schema<'ScanHost'>;

const STATES = ['waiting', 'scanning', 'paused', 'success', 'fail', 'cancel'];

export default function Scan() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  // The stream tells of changes; the clock is for bars that move between them.
  const found = useGet('/api/v1/scan-tasks/{id}', { path: { id } }, { refetchInterval: (q) => (q.state.data?.task.task_status === 'finish' ? false : 5000) });
  return <Shown of={found}>{(thing) => <Detail of={thing} />}</Shown>;
}

function Detail({ of }: { of: Full }) {
  const { t, i18n } = useTranslation('scans');
  const word = useWord();
  const { task } = of;
  const n = (value: number) => numberText(value, i18n.language);
  const failed = of.by_state.some((c) => c.word === 'fail' && c.count > 0);
  return (
    <Page
      title={task.name}
      beside={<Status kind="scanStatus" value={task.task_status} />}
      crumbs={[{ to: '/scans', name: t('heading') }]}
      actions={<ScanActions of={task} hosts={of.host_num} />}
    >
      <Panel title={t('scan.standing')}>
        <div className="scan-big">
          <Bar permille={of.permille} bad={failed} />
          <ul className="scan-counts" aria-label={t('scan.byState')}>
            {of.by_state
              .filter((c) => c.count > 0)
              .map((c) => (
                <li key={c.word}>
                  <Link to="." search={(before: Record<string, unknown>) => ({ ...before, state: c.word })}>
                    {word('scanHostStatus', c.word)} <b>{n(c.count)}</b>
                  </Link>
                </li>
              ))}
          </ul>
        </div>
        <Facts
          of={[
            [t('column.kind'), word('scanKind', task.kind)],
            [t('column.hosts'), n(of.host_num)],
            [t('column.files'), n(of.scan_file_num)],
            [t('column.found'), n(of.virus_num)],
            [t('column.by'), <HostText key="b" text={task.started_by} />],
            [t('column.created'), <Time key="c" at={task.created_at} />],
            [t('column.finished'), <Time key="f" at={task.finished_at} />],
            [t('column.project'), <HostText key="p" text={task.project} />],
            [
              t('column.plan'),
              task.policy ? (
                <Link key="l" to="/scans/plans" search={(before: Record<string, unknown>) => ({ project: before.project, plan: task.policy })}>
                  {t('scan.toPlan')}
                </Link>
              ) : null,
            ],
          ]}
        />
      </Panel>
      <Hosts of={task} />
      <Found of={task} expected={of.virus_num} />
    </Page>
  );
}

function Hosts({ of }: { of: Schema<'ScanTask'> }) {
  const { t, i18n } = useTranslation('scans');
  const word = useWord();
  const options = useOptions();
  const fields = useMemo<FilterField[]>(
    () => [{ name: 'state', kind: 'many', label: t('column.status'), options: options('scanHostStatus', STATES) }],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<{ state?: string[] }>(fields);
  const rows = useList('/api/v1/scan-tasks/{id}/hosts', { path: { id: of.id }, query: filters.query }, (row) => row.host.id);
  const duration = (row: Row) => (typeof row.run_duration_seconds === 'number' ? t('seconds', { number: numberText(row.run_duration_seconds, i18n.language) }) : '-');
  const columns: Column<Row>[] = [
    { id: 'host', title: t('column.host'), width: 150, grow: 1, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'status', title: t('column.status'), width: 110, grow: 0, render: (row) => <Status kind="scanHostStatus" value={row.host_task_status} />, csv: (row) => word('scanHostStatus', row.host_task_status) },
    { id: 'online', title: t('column.hostStatus'), width: 100, grow: 0, render: (row) => <Status kind="hostStatus" value={row.host.status} />, csv: (row) => word('hostStatus', row.host.status) },
    { id: 'progress', title: t('column.progress'), width: 150, grow: 0, render: (row) => <Bar permille={row.permille} bad={row.host_task_status === 'fail'} />, csv: (row) => row.permille / 10 },
    {
      id: 'found',
      title: t('column.found'),
      width: 80,
      grow: 0,
      align: 'right',
      render: (row) =>
        row.virus_num > 0 ? (
          <ListLink to="/alarms" search={{ host: row.host.id, host_name: row.host.name, since: of.created_at }}>
            {numberText(row.virus_num, i18n.language)}
          </ListLink>
        ) : (
          '0'
        ),
      csv: (row) => row.virus_num,
    },
    { id: 'files', title: t('column.files'), width: 100, grow: 0, align: 'right', render: (row) => numberText(row.scan_file_num, i18n.language), csv: (row) => row.scan_file_num },
    { id: 'bytes', title: t('column.bytes'), width: 90, grow: 0, align: 'right', render: (row) => sizeText(row.scan_bytes, i18n.language), csv: (row) => row.scan_bytes },
    { id: 'errors', title: t('column.errors'), width: 80, grow: 0, align: 'right', render: (row) => numberText(row.errors, i18n.language), csv: (row) => row.errors },
    { id: 'reason', title: t('column.reason'), width: 200, grow: 2, render: (row) => <span title={row.fail_reason}><HostText text={row.fail_reason} /></span>, csv: (row) => row.fail_reason },
    { id: 'duration', title: t('column.duration'), width: 90, grow: 0, align: 'right', render: duration, csv: (row) => row.run_duration_seconds },
    { id: 'begins', title: t('column.begins'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.begins_at} />, csv: (row) => row.begins_at },
    { id: 'started', title: t('column.started'), width: 160, grow: 0, render: (row) => <Time at={row.started_at} />, csv: (row) => row.started_at },
    { id: 'finished', title: t('column.finished'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
  ];
  return (
    <>
      <FilterBar id="scan-hosts" of={filters} />
      <DataTable
        id="scan-hosts"
        label={t('scan.hosts')}
        rows={rows}
        idOf={(row) => row.host.id}
        columns={columns}
        height={Math.min(460, Math.max(200, 90 + 34 * rows.rows.length))}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
      />
    </>
  );
}
