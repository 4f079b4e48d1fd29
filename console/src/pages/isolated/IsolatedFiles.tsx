// SPDX-License-Identifier: Apache-2.0
/** Files in the vaults of the servers: found by status, place and content; restored, deleted. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { QueryOf } from '@/api/types';
import { useProject } from '@/app/project';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ListLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { useOptions, useWord } from '@/parts/tags';
import { OfHost, useOfHost, wholeDigest } from './linked';
import { IsolatedTable } from './IsolatedTable';
import { STATUSES } from './words';
import './isolated.css';

type Query = QueryOf<'/api/v1/isolated-files'>;

export default function IsolatedFiles() {
  const { t } = useTranslation('isolated');
  const options = useOptions();
  const { projectQuery } = useProject();
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'path', kind: 'search', label: t('filter.path') },
      { name: 'status', kind: 'many', label: t('filter.status'), options: options('isolatedStatus', STATUSES) },
      { name: 'host_name', kind: 'text', label: t('filter.host') },
      { name: 'importance', kind: 'one', label: t('filter.importance'), options: options('importance', ['important', 'common', 'test']) },
      { name: 'sha256', kind: 'text', label: t('filter.sha256') },
      { name: 'period', kind: 'period', label: t('filter.period'), days: false },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<Query>(fields);
  const ofHost = useOfHost();
  const query = { ...wholeDigest(filters.query), ...ofHost.query, ...projectQuery };
  const rows = useList('/api/v1/isolated-files', { query }, (row) => row.id);
  return (
    <Page title={t('title')} about={t('about')}>
      <Counts />
      <FilterBar id="isolated" of={filters} />
      <OfHost of={ofHost} />
      <IsolatedTable rows={rows} filtered={filters.active > 0 || ofHost.active} onClearFilters={filters.clear} />
    </Page>
  );
}

/** How many of each status; each leads to them. */
function Counts() {
  const { t, i18n } = useTranslation('isolated');
  const word = useWord();
  const { projectQuery } = useProject();
  const counts = useGet('/api/v1/isolated-files/statistics', { query: projectQuery }).data?.by_status ?? [];
  const some = STATUSES.flatMap((status) => counts.filter((c) => c.word === status && c.count > 0));
  if (some.length === 0) return null;
  return (
    <ul className="counts" aria-label={t('counts')}>
      {some.map((c) => (
        <li key={c.word}>
          <ListLink to="/isolated" search={{ status: c.word }}>
            {word('isolatedStatus', c.word)} <b>{numberText(c.count, i18n.language)}</b>
          </ListLink>
        </li>
      ))}
    </ul>
  );
}
