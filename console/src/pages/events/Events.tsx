// SPDX-License-Identifier: Apache-2.0
/** Events > Malicious program: programs that were isolated or only alarmed, and what can be done about each at once. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'antd';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { QueryOf } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import type { Search } from '@/app/search';
import { DataTable, type Column } from '@/parts/DataTable';
import { FileName, HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { HostLink, ListLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Page, PageTabs } from '@/parts/Page';
import { Rating, Severity, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { AlarmLink } from '@/pages/alarms/columns';
import { RATINGS, SEVERITIES } from '@/pages/alarms/fields';
import { BatchBar } from '@/pages/alarms/handle/BatchBar';
import { HandleDialog } from '@/pages/alarms/handle/HandleDialog';
import { fits, type AlarmRow, type Verb } from '@/pages/alarms/handle/verbs';
import { CLASSES } from '@/pages/whitelist/rule';
import { FateCell } from './FateCell';
import { fateOf } from './fate';
import '@/pages/alarms/alarms.css';

const AlarmDrawer = lazy(() => import('@/pages/alarms/AlarmDrawer'));

type Query = QueryOf<'/api/v1/alarms'>;

const OFFERED: readonly Verb[] = ['do_not_isolate_or_kill', 'isolate_and_kill', 'ignore', 'do_not_ignore', 'unhandle', 'remove_from_alarm_whitelist'];

export default function Events() {
  const { t } = useTranslation('events');
  const word = useWord();
  const options = useOptions();
  const can = useCan();
  const navigate = useNavigate();
  const { alarm: open } = useSearch({ strict: false }) as Search;
  const { projectQuery } = useProject();
  const [asked, setAsked] = useState<{ row: AlarmRow; verb: Verb } | null>(null);

  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.text') },
      { name: 'auto_block', kind: 'flag', label: t('filter.auto') },
      { name: 'handle_status', kind: 'one', label: t('filter.status'), options: options('handleStatus', ['unhandled', 'handled']) },
      { name: 'class', kind: 'many', label: t('filter.class'), options: options('class', CLASSES) },
      { name: 'severity', kind: 'many', label: t('filter.severity'), options: options('severity', SEVERITIES) },
      { name: 'rating', kind: 'many', label: t('filter.rating'), options: options('rating', RATINGS) },
      { name: 'host_name', kind: 'text', label: t('filter.host') },
      { name: 'period', kind: 'period', label: t('filter.period'), days: true },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<Query>(fields);
  // Without a type chosen all types: alarms about agents are of none.
  const query: Query = { class: [...CLASSES], ...filters.query, ...projectQuery };
  const rows = useList('/api/v1/alarms', { query }, (row) => row.id);
  const show = (id: string | undefined) =>
    void navigate({ to: '.', search: (before: Search) => ({ ...before, alarm: id }), replace: id === undefined });

  const columns: Column<AlarmRow>[] = [
    {
      id: 'program',
      title: t('column.program'),
      width: 250,
      grow: 2,
      render: (row) => (
        <AlarmLink row={row} onOpen={show}>
          <FileName name={row.path ?? row.title} bytes={row.path_b64} cut />
        </AlarmLink>
      ),
      csv: (row) => row.path ?? row.title,
    },
    { id: 'class', title: t('column.class'), width: 120, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    {
      id: 'fate',
      title: t('column.fate'),
      width: 150,
      grow: 0,
      render: (row) => <FateCell row={row} />,
      csv: (row) => t(`fate.${fateOf(row)}`),
    },
    { id: 'severity', title: t('column.severity'), width: 84, grow: 0, render: (row) => <Severity value={row.severity} />, csv: (row) => word('severity', row.severity) },
    { id: 'rating', title: t('column.rating'), width: 112, grow: 0, render: (row) => <Rating value={row.rating} confidence={row.confidence} />, csv: (row) => row.confidence },
    { id: 'host', title: t('column.host'), width: 130, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    {
      id: 'status',
      title: t('column.status'),
      width: 130,
      grow: 0,
      render: (row) => (row.handled ? word('verb', row.handled.by) : word('handleStatus', row.handle_status)),
      csv: (row) => (row.handled ? word('verb', row.handled.by) : word('handleStatus', row.handle_status)),
    },
    { id: 'last', title: t('column.last'), width: 156, grow: 0, render: (row) => <Time at={row.last} />, csv: (row) => row.last },
    {
      id: 'do',
      title: t('column.do'),
      width: 210,
      grow: 0,
      render: (row) =>
        can('operate', row.project) && (
          <span className="row-actions">
            {OFFERED.filter((v) => fits(row, v)).map((v) => (
              <Button key={v} size="small" type="link" danger={v === 'isolate_and_kill'} onClick={() => setAsked({ row, verb: v })}>
                {word('verb', v)}
              </Button>
            ))}
          </span>
        ),
    },
    { id: 'title', title: t('column.title'), width: 220, hidden: true, render: (row) => <HostText text={row.title} />, csv: (row) => row.title },
    { id: 'sha256', title: 'SHA-256', width: 160, hidden: true, render: (row) => <HostText text={row.sha256} code />, csv: (row) => row.sha256 },
  ];

  return (
    <Page
      title={t('events.title')}
      about={t('events.about')}
      tabs={<PageTabs label={t('events.title')} tabs={[{ to: '/events', name: t('events.malicious') }]} />}
    >
      <Summary />
      <FilterBar id="events" of={filters} />
      <DataTable
        id="events"
        label={t('events.malicious')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        onOpen={(row) => show(row.id)}
        batch={can('operate') ? (chosen, clear) => <BatchBar chosen={chosen} clear={clear} /> : undefined}
      />
      {asked && <HandleDialog alarms={[asked.row]} verb={asked.verb} onClose={() => setAsked(null)} />}
      {open && (
        <Suspense fallback={null}>
          <AlarmDrawer id={open} onClose={() => show(undefined)} />
        </Suspense>
      )}
    </Page>
  );
}

/** How many were acted on by policy, wait for a person, and lie in vaults. */
function Summary() {
  const { t, i18n } = useTranslation('events');
  const { projectQuery } = useProject();
  const programs = { ...projectQuery, class: [...CLASSES] };
  const auto = useGet('/api/v1/alarms/statistics', { query: { ...programs, auto_block: true } });
  const open = useGet('/api/v1/alarms/statistics', { query: { ...programs, handle_status: 'unhandled' } });
  const isolated = useGet('/api/v1/isolated-files/statistics', { query: projectQuery });
  const lying = (isolated.data?.by_status ?? []).filter((c) => c.word.startsWith('isolated')).reduce((sum, c) => sum + c.count, 0);
  const number = (n: number | undefined) => (n === undefined ? '…' : numberText(n, i18n.language));
  return (
    <p className="summary-line">
      <span>
        {t('summary.auto')} <ListLink to="/events" search={{ auto_block: 'true' }}>{number(auto.data?.total)}</ListLink>
      </span>
      <span>
        {t('summary.open')} <ListLink to="/events" search={{ handle_status: 'unhandled' }}>{number(open.data?.total)}</ListLink>
      </span>
      <span>
        {t('summary.isolated')} <ListLink to="/isolated">{isolated.data ? number(lying) : '…'}</ListLink>
      </span>
    </p>
  );
}
