// SPDX-License-Identifier: Apache-2.0
/** What raises no alarm, and how often it let something through. */
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { FileName, HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { useHostNames } from '@/parts/hostNames';
import { HostLink, ThingLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { Tag, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { NewEntry } from './NewEntry';
import { RemoveEntries } from './RemoveEntries';
import { CLASSES, FIELDS } from './rule';
import '@/pages/alarms/alarms.css';

type Row = Schema<'WhitelistEntry'>;
type Query = QueryOf<'/api/v1/whitelist'>;

export default function Whitelist() {
  const { t, i18n } = useTranslation('whitelist');
  const word = useWord();
  const options = useOptions();
  const can = useCan();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const [adding, setAdding] = useState(false);
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.text') },
      { name: 'field', kind: 'one', label: t('filter.field'), options: options('whitelistField', FIELDS) },
      { name: 'scope', kind: 'one', label: t('filter.scope'), options: options('scope', ['project', 'group', 'host']) },
      { name: 'class', kind: 'one', label: t('filter.class'), options: options('class', CLASSES) },
      { name: 'expired', kind: 'flag', label: t('filter.expired') },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<Query>(fields);
  const rows = useList('/api/v1/whitelist', { query: { ...filters.query, ...projectQuery } }, (row) => row.id);
  const names = useHostNames(rows.rows.map((r) => (r.scope === 'host' ? r.scope_id : null)));
  const number = (n: number) => numberText(n, i18n.language);
  const scope = (row: Row) => (row.scope === 'host' ? (names.get(row.scope_id ?? '') ?? row.scope_id ?? '') : word('scope', row.scope));

  const columns: Column<Row>[] = [
    {
      id: 'value',
      title: t('column.value'),
      width: 250,
      grow: 2,
      render: (row) => (
        <ThingLink to="/whitelist/$id" id={row.id}>
          <FileName name={row.value} bytes={row.value_b64} cut />
        </ThingLink>
      ),
      csv: (row) => row.value,
    },
    {
      id: 'field',
      title: t('column.field'),
      width: 170,
      grow: 0,
      render: (row) => `${word('whitelistField', row.field)} ${word('judge', row.judge)}`,
      csv: (row) => `${word('whitelistField', row.field)} ${word('judge', row.judge)}`,
    },
    {
      id: 'content',
      title: t('column.content'),
      width: 110,
      grow: 0,
      render: (row) => (row.any_content ? <Tag tone="medium">{t('entry.any')}</Tag> : t('entry.bound')),
      csv: (row) => (row.any_content ? t('entry.any') : t('entry.bound')),
    },
    { id: 'class', title: t('column.class'), width: 110, grow: 0, render: (row) => (row.class ? word('class', row.class) : t('form.everyClass')), csv: (row) => row.class },
    {
      id: 'scope',
      title: t('column.scope'),
      width: 120,
      render: (row) =>
        row.scope === 'host' && row.scope_id ? <HostLink host={{ id: row.scope_id, name: scope(row) }} /> : scope(row),
      csv: scope,
    },
    { id: 'hits', title: t('column.hits'), width: 90, grow: 0, align: 'right', render: (row) => number(row.hits_total), csv: (row) => row.hits_total },
    { id: 'today', title: t('column.today'), width: 70, grow: 0, align: 'right', render: (row) => number(row.hits_today), csv: (row) => row.hits_today },
    { id: 'lastHit', title: t('column.lastHit'), width: 156, grow: 0, render: (row) => <Time at={row.last_hit_at} />, csv: (row) => row.last_hit_at },
    {
      id: 'expires',
      title: t('column.expires'),
      width: 156,
      grow: 0,
      render: (row) => (row.expired ? <Tag tone="quiet">{t('entry.expired')}</Tag> : row.expires_at ? <Time at={row.expires_at} /> : t('entry.never')),
      csv: (row) => row.expires_at,
    },
    { id: 'description', title: t('column.description'), width: 150, render: (row) => <HostText text={row.description} />, csv: (row) => row.description },
    { id: 'owner', title: t('column.owner'), width: 100, hidden: true, render: (row) => <HostText text={row.owner} />, csv: (row) => row.owner },
    { id: 'addedBy', title: t('column.addedBy'), width: 100, hidden: true, render: (row) => <HostText text={row.added_by} />, csv: (row) => row.added_by },
    { id: 'addedAt', title: t('column.addedAt'), width: 156, grow: 0, hidden: true, render: (row) => <Time at={row.added_at} />, csv: (row) => row.added_at },
    { id: 'project', title: t('column.project'), width: 100, hidden: true, render: (row) => <HostText text={row.project} />, csv: (row) => row.project },
  ];
  return (
    <Page
      title={t('whitelist.title')}
      about={t('whitelist.about')}
      actions={
        can('administer') && (
          <Button type="primary" onClick={() => setAdding(true)}>
            {t('add.button')}
          </Button>
        )
      }
    >
      <FilterBar id="whitelist" of={filters} />
      <DataTable
        id="whitelist"
        label={t('whitelist.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        empty={t('whitelist.empty')}
        onOpen={(row) => void navigate({ to: '/whitelist/$id', params: { id: row.id } })}
        batch={
          can('administer')
            ? (chosen, clear) => <RemoveEntries entries={chosen.filter((e) => can('administer', e.project))} onDone={clear} small />
            : undefined
        }
      />
      {adding && <NewEntry onClose={() => setAdding(false)} />}
    </Page>
  );
}
