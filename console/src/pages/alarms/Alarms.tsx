// SPDX-License-Identifier: Apache-2.0
/** Server alarms: figures, filters, the list with what can be done about several, each alarm in a drawer. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'antd';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import type { Search } from '@/app/search';
import { DataTable } from '@/parts/DataTable';
import { FilterBar } from '@/parts/FilterBar';
import { Page } from '@/parts/Page';
import { CLASSES } from '@/pages/whitelist/rule';
import { AlarmTiles } from './AlarmTiles';
import { useAlarmColumns } from './columns';
import { exportAlarms } from './export';
import { shownFilters, useAlarmFilters } from './fields';
import { BatchBar } from './handle/BatchBar';
import { HandleAll } from './handle/HandleAll';
import './alarms.css';

const AlarmDrawer = lazy(() => import('./AlarmDrawer'));
const IsolatedDrawer = lazy(() => import('@/pages/isolated/IsolatedDrawer'));

/** The alarm that is open beside a list: `?alarm=ID`. */
export function useOpenAlarm(): { open: string | undefined; show: (id: string | undefined) => void } {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  return {
    open: search.alarm || undefined,
    show: (id) => void navigate({ to: '.', search: (before: Search) => ({ ...before, alarm: id }), replace: id === undefined }),
  };
}

export default function Alarms() {
  const { t } = useTranslation('alarms');
  const can = useCan();
  const { projectQuery } = useProject();
  const filters = useAlarmFilters();
  const { open, show } = useOpenAlarm();
  const [more, setMore] = useState(false);
  const [all, setAll] = useState(false);
  const [vault, setVault] = useState(false);
  const columns = useAlarmColumns(show);
  const query = { ...filters.query, ...projectQuery };
  const rows = useList('/api/v1/alarms', { query }, (row) => row.id);
  const shown = shownFilters(filters, more);
  const kind = CLASSES.find((c) => c === filters.values.class);

  return (
    <Page
      title={t('title')}
      actions={
        <>
          <Button onClick={() => setVault(true)}>{t('isolatedFiles')}</Button>
          {can('operate') && <Button onClick={() => setAll(true)}>{t('all.button')}</Button>}
        </>
      }
    >
      <AlarmTiles filters={filters} projectQuery={projectQuery} />
      <div className="filters-more">
        <FilterBar id="alarms" of={shown} />
        <Button type="link" aria-expanded={more} onClick={() => setMore(!more)}>
          {more ? t('filter.fewer') : t('filter.more')}
        </Button>
      </div>
      <DataTable
        id="alarms"
        label={t('title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        onOpen={(row) => show(row.id)}
        batch={can('operate') ? (chosen, clear) => <BatchBar chosen={chosen} clear={clear} /> : undefined}
        // A file of more rows than that is written by the server.
        onExport={rows.totalIsCapped ? () => exportAlarms(query) : undefined}
      />
      {vault && (
        <Suspense fallback={null}>
          <IsolatedDrawer onClose={() => setVault(false)} />
        </Suspense>
      )}
      {all && <HandleAll first={kind} onClose={() => setAll(false)} />}
      {open && (
        <Suspense fallback={null}>
          <AlarmDrawer id={open} onClose={() => show(undefined)} />
        </Suspense>
      )}
    </Page>
  );
}
