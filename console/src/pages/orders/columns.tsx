// SPDX-License-Identifier: Apache-2.0
/** Columns of orders: in the list of all, and in the page of those that were given at once. */
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import type { Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { useHostNames } from '@/parts/hostNames';
import { HostLink, ThingLink } from '@/parts/links';
import { TaskLink } from '@/parts/orders';
import { ProjectName } from '@/parts/projects';
import { Status, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Row = Schema<'Command'>;

/** Where the thing is that an order is about; the others are about a server. */
const ABOUT: Record<string, string> = {
  handle: '/alarms/$id',
  preview: '/alarms/$id',
  thaw: '/alarms/$id',
  collect: '/alarms/$id',
  restore: '/isolated/$id',
  delete: '/isolated/$id',
  verify: '/isolated/$id',
};

/** `toTask`: the order's name leads to those that were given with it. */
export function useOrderColumns(rows: readonly Row[], toTask: boolean): Column<Row>[] {
  const { t } = useTranslation('orders');
  const word = useWord();
  const names = useHostNames(rows.map((r) => r.host));
  const why = (row: Row) => row.result?.reason || row.reason;
  return [
    {
      id: 'verb',
      title: t('column.verb'),
      width: 170,
      grow: 0,
      render: (row) => (toTask && row.task ? <TaskLink id={row.task}>{word('orderVerb', row.verb)}</TaskLink> : word('orderVerb', row.verb)),
      csv: (row) => word('orderVerb', row.verb),
    },
    {
      id: 'host',
      title: t('column.host'),
      width: 150,
      render: (row) => <HostLink host={{ id: row.host, name: names.get(row.host) ?? row.host }} />,
      csv: (row) => names.get(row.host) ?? row.host,
    },
    { id: 'state', title: t('column.state'), width: 110, grow: 0, render: (row) => <Status kind="commandState" value={row.state} />, csv: (row) => word('commandState', row.state) },
    {
      id: 'about',
      title: t('column.about'),
      width: 120,
      grow: 0,
      render: (row) => {
        const to = row.about ? ABOUT[row.verb] : undefined;
        if (!to) return <span className="none">-</span>;
        return (
          <ThingLink to={to} id={row.about}>
            {t(to.startsWith('/alarms') ? 'about.alarm' : 'about.isolated')}
          </ThingLink>
        );
      },
      csv: (row) => row.about,
    },
    { id: 'by', title: t('column.by'), width: 130, render: (row) => <HostText text={row.ordered_by} />, csv: (row) => row.ordered_by },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'finished', title: t('column.finished'), width: 160, grow: 0, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
    { id: 'reason', title: t('column.reason'), width: 220, grow: 2, render: (row) => <HostText text={why(row)} />, csv: why },
    { id: 'project', title: t('column.project'), width: 110, grow: 0, render: (row) => <ProjectName id={row.project} />, csv: (row) => row.project },
  ];
}
