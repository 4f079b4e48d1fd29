// SPDX-License-Identifier: Apache-2.0
/** The own sign-ins that are open, and their end. */
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { Panel } from '@/parts/Page';
import { Tag } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Row = Schema<'Session'>;

export function SessionsPanel() {
  const { t } = useTranslation('me');
  const { done } = useFeedback();
  const rows = wholeList(useGet('/api/v1/me/sessions'));
  const end = useSend('delete', '/api/v1/me/sessions/{id}');
  const columns: Column<Row>[] = [
    {
      id: 'note',
      title: t('sessions.note'),
      width: 240,
      render: (row) => (
        <>
          <HostText text={row.note} /> {row.current && <Tag tone="good">{t('sessions.current')}</Tag>}
        </>
      ),
      csv: (row) => row.note,
    },
    { id: 'created', title: t('sessions.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'used', title: t('sessions.used'), width: 160, grow: 0, render: (row) => <Time at={row.last_used_at} />, csv: (row) => row.last_used_at },
    { id: 'expires', title: t('sessions.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    {
      id: 'actions',
      title: t('sessions.actions'),
      width: 90,
      grow: 0,
      render: (row) =>
        !row.current && (
          <ConfirmAction
            label={t('sessions.end')}
            button={{ type: 'link', size: 'small' }}
            title={t('sessions.endTitle')}
            text={t('sessions.endText')}
            names={[row.note]}
            verb={t('sessions.end')}
            danger
            action={async () => {
              await end.mutateAsync({ path: { id: row.id } });
              done(t('sessions.ended'));
            }}
          />
        ),
    },
  ];
  return (
    <Panel flush>
      <DataTable id="me-sessions" label={t('sessions.title')} rows={rows} idOf={(row) => row.id} columns={columns} height={360} />
    </Panel>
  );
}
