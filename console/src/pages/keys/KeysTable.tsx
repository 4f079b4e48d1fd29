// SPDX-License-Identifier: Apache-2.0
/** A list of own keys of one kind, with a button for a new one and one to take each out of force. */
import { Button } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Rows } from '@/api/lists';
import type { Grant } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

/** What keys of each kind have. */
export interface KeyRow {
  note: string;
  created_at: string;
  expires_at?: string | null;
  last_used_at?: string | null;
  /** Empty: all that the owner has. */
  grants: Grant[];
}

interface Props<T extends KeyRow> {
  /** Names the choice of columns and the exported file. */
  id: string;
  label: string;
  rows: Rows<T>;
  idOf: (row: T) => string;
  /** By what the server knows the key: the first column, or one that is hidden at first. */
  idColumn: Column<T>;
  /** What the confirmation calls it. */
  nameOf: (row: T) => string;
  /** The confirmation of taking one out of force. */
  title: string;
  text: string;
  revoke: (row: T) => Promise<unknown>;
  /** On the button for a new one. */
  add: string;
  /** The dialog behind it. */
  dialog: (close: () => void) => ReactNode;
  height?: number;
}

export function KeysTable<T extends KeyRow>({ idColumn, ...props }: Props<T>) {
  const { t } = useTranslation('keys');
  const word = useWord();
  const { done } = useFeedback();
  const [making, setMaking] = useState(false);
  const roles = (row: T) =>
    row.grants.length === 0
      ? t('allOfMine')
      : row.grants.map((g) => `${word('role', g.role)} · ${g.project === '*' ? t('everywhere') : g.project}`).join(', ');
  const over = (row: T) => Boolean(row.expires_at && Date.parse(row.expires_at) < Date.now());

  const columns: Column<T>[] = [
    {
      id: 'note',
      title: t('column.note'),
      width: 190,
      grow: 2,
      render: (row) => (
        <>
          <HostText text={row.note} /> {over(row) && <Tag tone="quiet">{t('expired')}</Tag>}
        </>
      ),
      csv: (row) => row.note,
    },
    { id: 'roles', title: t('column.roles'), width: 200, grow: 2, render: roles, csv: roles },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'used', title: t('column.used'), width: 160, grow: 0, render: (row) => <Time at={row.last_used_at} />, csv: (row) => row.last_used_at },
    {
      id: 'expires',
      title: t('column.expires'),
      width: 160,
      grow: 0,
      render: (row) => (row.expires_at ? <Time at={row.expires_at} /> : t('never')),
      csv: (row) => row.expires_at,
    },
    ...(idColumn.hidden ? [idColumn] : []),
    {
      id: 'actions',
      title: t('column.actions'),
      width: 100,
      grow: 0,
      render: (row) => (
        <ConfirmAction
          label={t('revoke')}
          button={{ type: 'link', size: 'small' }}
          title={props.title}
          text={props.text}
          names={[props.nameOf(row)]}
          verb={t('revoke')}
          danger
          action={async () => {
            await props.revoke(row);
            done(t('revoked'));
          }}
        />
      ),
    },
  ];

  return (
    <>
      <DataTable
        id={props.id}
        label={props.label}
        rows={props.rows}
        idOf={props.idOf}
        columns={idColumn.hidden ? columns : [idColumn, ...columns]}
        height={props.height}
        tools={
          <Button type="primary" size="small" onClick={() => setMaking(true)}>
            {props.add}
          </Button>
        }
      />
      {making && props.dialog(() => setMaking(false))}
    </>
  );
}
