// SPDX-License-Identifier: Apache-2.0
/** Orders to servers and what came of each. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { QueryOf } from '@/api/types';
import { useProject } from '@/app/project';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { Page } from '@/parts/Page';
import { useOptions } from '@/parts/tags';
import { OrderTable } from './OrderTable';

const STATES = ['pending', 'sent', 'done', 'partial', 'refused', 'failed', 'expired', 'cancelled'];
const VERBS = ['handle', 'restore', 'delete', 'verify', 'preview', 'scan', 'scan_pause', 'scan_resume', 'self_test', 'thaw', 'collect'];

export default function Orders() {
  const { t } = useTranslation('orders');
  const options = useOptions();
  const { projectQuery } = useProject();
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'state', kind: 'many', label: t('column.state'), options: options('commandState', STATES) },
      { name: 'verb', kind: 'many', label: t('column.verb'), options: options('orderVerb', VERBS) },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<QueryOf<'/api/v1/commands'>>(fields);
  const rows = useList('/api/v1/commands', { query: { ...filters.query, ...projectQuery } }, (row) => row.id);
  return (
    <Page title={t('orders.title')} about={t('orders.about')}>
      <FilterBar id="orders" of={filters} />
      <OrderTable id="orders" label={t('orders.title')} rows={rows} filtered={filters.active > 0} onClearFilters={filters.clear} />
    </Page>
  );
}
