// SPDX-License-Identifier: Apache-2.0
/** Users and what they may do. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';
import { Allowed } from '@/app/states';

type Row = Schema<'User'>;

function UsersList() {
  const { t } = useTranslation('users');
  const word = useWord();
  const navigate = useNavigate();
  const rows = wholeList(useGet('/api/v1/users'));
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 180, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'roles', title: t('column.roles'), width: 260, grow: 2, render: (row) => row.grants.map((g) => `${word('role', g.role)} (${g.project === '*' ? t('allProjects') : g.project})`).join(', '), csv: (row) => row.grants.map((g) => `${g.role}@${g.project}`).join(' ') },
    { id: 'disabled', title: t('column.disabled'), width: 90, grow: 0, render: (row) => t(row.disabled ? 'yes' : 'no'), csv: (row) => row.disabled },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => <Time at={row.last_sign_in_at} />, csv: (row) => row.last_sign_in_at },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
  ];
  return (
    <Page title={t('users.title')}>
      <DataTable id="users-users" label={t('users.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/users/$id', params: { id: row.id } })} />
    </Page>
  );
}

export default function Users() {
  return (
    <Allowed to="administer_all">
      <UsersList />
    </Allowed>
  );
}
