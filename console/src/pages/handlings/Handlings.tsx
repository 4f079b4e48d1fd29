// SPDX-License-Identifier: Apache-2.0
/** What was done about alarms, by whom and when. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { useHostNames } from '@/parts/hostNames';
import { HostLink, ThingLink } from '@/parts/links';
import { Page } from '@/parts/Page';
import { Severity, Tag, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { BACK, FORTH } from '@/pages/alarms/handle/verbs';

type Row = Schema<'HandlingItem'>;
type Query = QueryOf<'/api/v1/alarms/handlings'>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export default function Handlings() {
  const { t } = useTranslation('handlings');
  const word = useWord();
  const options = useOptions();
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'operate_type', kind: 'one', label: t('filter.verb'), options: options('verb', [...FORTH, ...BACK]) },
      { name: 'period', kind: 'period', label: t('filter.period'), days: false },
      { name: 'alarm', kind: 'text', label: t('filter.alarm') },
      { name: 'host', kind: 'text', label: t('filter.host') },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<Query>(fields);
  const { projectQuery } = useProject();
  const query = useMemo(() => {
    const clean = { ...filters.query, ...projectQuery };
    // Half an id is not asked: the server would refuse it.
    if (clean.host && !UUID.test(clean.host)) delete clean.host;
    if (clean.alarm && !UUID.test(clean.alarm)) delete clean.alarm;
    return clean;
  }, [filters.query, projectQuery]);
  const idOf = (row: Row) => `${row.alarm} ${row.at} ${row.operate_type}`;
  const rows = useList('/api/v1/alarms/handlings', { query }, idOf);
  const names = useHostNames(rows.rows.map((r) => r.host));
  const who = (name: string) => (name === 'policy' ? t('policy') : name);

  const columns: Column<Row>[] = [
    { id: 'at', title: t('column.at'), width: 156, grow: 0, render: (row) => <Time at={row.at} />, csv: (row) => row.at },
    {
      id: 'verb',
      title: t('column.verb'),
      width: 190,
      grow: 0,
      render: (row) => <Tag tone={BACK.some((v) => v === row.operate_type) ? 'medium' : 'good'}>{word('verb', row.operate_type)}</Tag>,
      csv: (row) => word('verb', row.operate_type),
    },
    {
      id: 'title',
      title: t('column.title'),
      width: 260,
      grow: 2,
      render: (row) => (
        <ThingLink to="/alarms/$id" id={row.alarm}>
          <HostText text={row.title} />
        </ThingLink>
      ),
      csv: (row) => row.title,
    },
    { id: 'severity', title: t('column.severity'), width: 90, grow: 0, render: (row) => <Severity value={row.severity} />, csv: (row) => word('severity', row.severity) },
    { id: 'class', title: t('column.class'), width: 120, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    {
      id: 'host',
      title: t('column.host'),
      width: 130,
      render: (row) => <HostLink host={{ id: row.host, name: names.get(row.host) ?? row.host }} />,
      csv: (row) => names.get(row.host) ?? row.host,
    },
    { id: 'who', title: t('column.who'), width: 120, render: (row) => <HostText text={who(row.who)} />, csv: (row) => who(row.who) },
    { id: 'remark', title: t('column.remark'), width: 180, render: (row) => <HostText text={row.remark} />, csv: (row) => row.remark },
  ];
  return (
    <Page title={t('handlings.title')} about={t('handlings.about')}>
      <FilterBar id="handlings" of={filters} />
      <DataTable
        id="handlings"
        label={t('handlings.title')}
        rows={rows}
        idOf={idOf}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
      />
    </Page>
  );
}
