// SPDX-License-Identifier: Apache-2.0
/** Servers: how many of each kind, filters, the list, and what is done with several at once. */
import { PlusOutlined } from '@ant-design/icons';
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { QueryOf } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { State } from '@/app/states';
import { DataTable } from '@/parts/DataTable';
import { safeText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { Page } from '@/parts/Page';
import { useOptions } from '@/parts/tags';
import { AddServer } from './AddServer';
import { HostBatch } from './HostBatch';
import { useHostColumns } from './hostColumns';
import { HostTiles } from './HostTiles';
import { useChosenOnly, useGroups } from './names';
import { AssetTabs } from './tabs';

const STATUS = ['online', 'offline', 'installing', 'installed', 'install_failed', 'not_installed'];
const PROTECTION = ['full', 'partial', 'none', 'unknown'];
const IMPORTANCE = ['important', 'common', 'test'];

export default function Hosts() {
  const { t } = useTranslation('hosts');
  const options = useOptions();
  const navigate = useNavigate();
  const can = useCan();
  const { projectQuery } = useProject();
  const groups = useGroups();
  const chosenOnly = useChosenOnly();
  const [adding, setAdding] = useState(false);
  const shownGroups = chosenOnly(groups.items);

  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.text') },
      { name: 'status', kind: 'one', label: t('column.status'), options: options('hostStatus', STATUS) },
      { name: 'protection', kind: 'one', label: t('column.protection'), options: options('protection', PROTECTION) },
      { name: 'group', kind: 'one', label: t('column.group'), options: shownGroups.map((g) => ({ value: g.id, label: safeText(g.name) })) },
      { name: 'importance', kind: 'one', label: t('column.importance'), options: options('importance', IMPORTANCE) },
      { name: 'removed', kind: 'flag', label: t('filter.removed') },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t, groups, projectQuery.project],
  );
  const filters = useFilters<QueryOf<'/api/v1/hosts'>>(fields);
  const rows = useList('/api/v1/hosts', { query: { ...filters.query, ...projectQuery } }, (row) => row.id);
  const columns = useHostColumns();
  const add = can('administer') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
      {t('install.title')}
    </Button>
  );

  return (
    <Page title={t('tabs')} tabs={<AssetTabs />} actions={add}>
      <HostTiles />
      <FilterBar id="hosts" of={filters} />
      <DataTable
        id="hosts"
        label={t('hosts.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        onOpen={(row) => void navigate({ to: '/hosts/$id', params: { id: row.id } })}
        batch={(chosen, clear) => <HostBatch hosts={chosen} clear={clear} />}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        empty={
          <State title={t('hosts.none')} actions={add}>
            {can('administer') ? t('hosts.noneText') : t('hosts.noneAsk')}
          </State>
        }
      />
      {adding && <AddServer onClose={() => setAdding(false)} />}
    </Page>
  );
}
