// SPDX-License-Identifier: Apache-2.0
/** The list of the own keys, with a button for a new one and one to take each out of force. */
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { NewKey } from './NewKey';

type Row = Schema<'ApiKey'>;

export function KeysTable({ height }: { height?: number }) {
  const { t } = useTranslation('keys');
  const word = useWord();
  const { done } = useFeedback();
  const [making, setMaking] = useState(false);
  const rows = wholeList(useGet('/api/v1/me/api-keys'));
  const revoke = useSend('delete', '/api/v1/me/api-keys/{id}', { changes: ['/api/v1/me/api-keys'] });
  const roles = (row: Row) =>
    row.grants.map((g) => `${word('role', g.role)} · ${g.project === '*' ? t('everywhere') : g.project}`).join(', ');
  const over = (row: Row) => Boolean(row.expires_at && Date.parse(row.expires_at) < Date.now());

  const columns: Column<Row>[] = [
    {
      id: 'note',
      title: t('column.note'),
      width: 220,
      grow: 2,
      render: (row) => (
        <>
          <HostText text={row.note} /> {over(row) && <Tag tone="quiet">{t('expired')}</Tag>}
        </>
      ),
      csv: (row) => row.note,
    },
    {
      id: 'roles',
      title: t('column.roles'),
      width: 220,
      grow: 2,
      render: (row) => (row.grants.length === 0 ? t('allOfMine') : roles(row)),
      csv: (row) => (row.grants.length === 0 ? t('allOfMine') : roles(row)),
    },
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
    { id: 'id', title: t('column.id'), width: 290, hidden: true, render: (row) => <code>{row.id}</code>, csv: (row) => row.id },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 100,
      grow: 0,
      render: (row) => (
        <ConfirmAction
          label={t('revoke')}
          button={{ type: 'link', size: 'small' }}
          title={t('revokeTitle')}
          text={t('revokeText')}
          names={[row.note || row.id]}
          verb={t('revoke')}
          danger
          action={async () => {
            await revoke.mutateAsync({ path: { id: row.id } });
            done(t('revoked'));
          }}
        />
      ),
    },
  ];

  return (
    <>
      <DataTable
        id="keys"
        label={t('apiKeys.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        height={height}
        tools={
          <Button type="primary" size="small" onClick={() => setMaking(true)}>
            {t('new')}
          </Button>
        }
      />
      {making && <NewKey onClose={() => setMaking(false)} />}
    </>
  );
}
