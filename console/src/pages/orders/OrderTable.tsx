// SPDX-License-Identifier: Apache-2.0
/** Orders, one line for each server: what was ordered, how it stands, why not, and what it is about. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Rows } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { useHostNames } from '@/parts/hostNames';
import { HostLink } from '@/parts/links';
import { TaskLink } from '@/parts/orders';
import { Status, Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

export type Command = Schema<'Command'>;

interface Props {
  id: string;
  label: string;
  rows: Rows<Command>;
  /** Each belongs to the task of the page: no link to it. */
  ofTask?: boolean;
  filtered?: boolean;
  onClearFilters?: () => void;
}

export function OrderTable({ id, label, rows, ofTask, filtered, onClearFilters }: Props) {
  const { t } = useTranslation('orders');
  const word = useWord();
  const navigate = useNavigate();
  const names = useHostNames(rows.rows.map((r) => r.host));
  const nameOf = (row: Command) => names.get(row.host) ?? row.host;
  // The host's own words come with its result.
  const reasonOf = (row: Command) => row.result?.reason || row.reason;
  const columns: Column<Command>[] = [
    {
      id: 'verb',
      title: t('column.verb'),
      width: 170,
      grow: 0,
      render: (row) => (row.task && !ofTask ? <TaskLink id={row.task}>{word('orderVerb', row.verb)}</TaskLink> : word('orderVerb', row.verb)),
      csv: (row) => word('orderVerb', row.verb),
    },
    { id: 'host', title: t('column.host'), width: 140, render: (row) => <HostLink host={{ id: row.host, name: nameOf(row) }} />, csv: nameOf },
    {
      id: 'state',
      title: t('column.state'),
      width: 170,
      grow: 0,
      render: (row) => (
        <span className="tags">
          <Status kind="commandState" value={row.state} />
          {row.cancel && row.state !== 'cancelled' && <Tag tone="quiet">{t('cancelAsked')}</Tag>}
        </span>
      ),
      csv: (row) => word('commandState', row.state),
    },
    { id: 'reason', title: t('column.reason'), width: 240, grow: 3, render: (row) => <HostText text={reasonOf(row)} />, csv: reasonOf },
    { id: 'by', title: t('column.by'), width: 120, render: (row) => <HostText text={row.ordered_by} />, csv: (row) => row.ordered_by },
    { id: 'created', title: t('column.created'), width: 156, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'finished', title: t('column.finished'), width: 156, grow: 0, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
    { id: 'expires', title: t('column.expires'), width: 156, grow: 0, hidden: true, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    { id: 'project', title: t('column.project'), width: 90, grow: 0, render: (row) => <HostText text={row.project} />, csv: (row) => row.project },
    { id: 'id', title: t('column.id'), width: 280, grow: 0, hidden: true, render: (row) => <code>{row.id}</code>, csv: (row) => row.id },
  ];
  return (
    <DataTable
      id={id}
      label={label}
      rows={rows}
      idOf={(row) => row.id}
      columns={columns}
      onOpen={
        ofTask
          ? undefined
          : (row) => {
              if (row.task) void navigate({ to: '/orders/$id', params: { id: row.task } });
            }
      }
      filtered={filtered}
      onClearFilters={onClearFilters}
    />
  );
}
