// SPDX-License-Identifier: Apache-2.0
/** Users and what they may do. */
import { useNavigate } from '@tanstack/react-router';
import { Alert, Button, Form, Input, Modal } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import type { Grant } from '@/app/permissions';
import { Allowed } from '@/app/states';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ThingLink } from '@/parts/links';
import { Page } from '@/parts/Page';
import { holds, keepRows } from '@/parts/projects';
import { SecretOnce } from '@/parts/SecretOnce';
import { Tag, useOptions } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { useProject } from '@/app/project';
import { GrantFields, GrantList, useGrantText } from './Grants';
import './users.css';

type Row = Schema<'User'>;

/** The most pressing state of a user. */
export function stateOf(user: Row): 'disabled' | 'locked' | 'waiting' | 'active' {
  if (user.disabled) return 'disabled';
  if (user.locked_until) return 'locked';
  return user.must_change_password ? 'waiting' : 'active';
}

export function UserState({ of }: { of: Row }) {
  const { t } = useTranslation('users');
  const state = stateOf(of);
  const tone = { disabled: 'quiet', locked: 'high', waiting: 'medium', active: 'good' } as const;
  return <Tag tone={tone[state]}>{t(`state.${state}`)}</Tag>;
}

function UsersList() {
  const { t } = useTranslation('users');
  const navigate = useNavigate();
  const options = useOptions();
  const { project } = useProject();
  const grantText = useGrantText();
  const [making, setMaking] = useState(false);
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.name') },
      { name: 'role', kind: 'one', label: t('filter.role'), options: options('role', ['viewer', 'operator', 'administrator', 'auditor', 'analyst']) },
      { name: 'state', kind: 'one', label: t('filter.state'), options: (['active', 'waiting', 'locked', 'disabled'] as const).map((s) => ({ value: s, label: t(`state.${s}`) })) },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters(fields);
  const { text, role, state } = filters.values;
  const rows = keepRows(
    wholeList(useGet('/api/v1/users')),
    (u) =>
      holds(text, u.name) &&
      (!state || stateOf(u) === state) &&
      (!role || u.grants.some((g) => g.role === role)) &&
      (!project || u.grants.some((g) => g.project === '*' || g.project === project)),
  );
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 180, render: (row) => <ThingLink to="/users/$id" id={row.id}><HostText text={row.name} /></ThingLink>, csv: (row) => row.name },
    { id: 'state', title: t('column.state'), width: 150, grow: 0, render: (row) => <UserState of={row} />, csv: (row) => t(`state.${stateOf(row)}`) },
    { id: 'roles', title: t('column.roles'), width: 300, grow: 3, render: (row) => <GrantList of={row.grants} />, csv: (row) => row.grants.map(grantText).join(', ') },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => (row.last_sign_in_at ? <Time at={row.last_sign_in_at} /> : <span className="none">{t('never')}</span>), csv: (row) => row.last_sign_in_at },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
  ];
  return (
    <Page title={t('users.title')} about={t('about')} actions={<Button type="primary" onClick={() => setMaking(true)}>{t('new')}</Button>}>
      <FilterBar id="users" of={filters} />
      <DataTable id="users" label={t('users.title')} rows={rows} idOf={(row) => row.id} columns={columns} filtered={filters.active > 0 || Boolean(project)} onClearFilters={filters.clear} onOpen={(row) => void navigate({ to: '/users/$id', params: { id: row.id } })} />
      {making && <NewUser onClose={() => setMaking(false)} />}
    </Page>
  );
}

interface Fields {
  name: string;
  grants: Grant[];
}

function NewUser({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('users');
  const create = useSend('post', '/api/v1/users');
  const [made, setMade] = useState<{ name: string; password: string } | null>(null);
  const make = async (f: Fields) => {
    const answer = await create.mutateAsync({ body: { name: f.name.trim(), grants: f.grants } });
    setMade({ name: answer.user.name, password: answer.one_time_password });
  };
  if (made) return <OneTime {...made} onClose={onClose} />;
  return (
    <Modal open title={t('new')} onCancel={onClose} footer={null} mask={{ closable: false }} width={600}>
      <Form<Fields> layout="vertical" requiredMark={false} initialValues={{ grants: [{ role: 'viewer', project: '*' }] }} onFinish={(f) => void make(f).catch(() => undefined)}>
        {create.error && <Alert type="error" showIcon title={create.error.message} role="alert" className="door-error" />}
        <Form.Item name="name" label={t('column.name')} extra={t('nameHint')} rules={[{ required: true, pattern: /^\s*[A-Za-z0-9._@-]{1,64}\s*$/, message: t('nameWrong') }]}>
          <Input autoFocus spellCheck={false} maxLength={64} />
        </Form.Item>
        <GrantFields />
        <div className="form-actions">
          <Button type="primary" htmlType="submit" loading={create.isPending}>
            {t('make')}
          </Button>
        </div>
      </Form>
    </Modal>
  );
}

export function OneTime({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  const { t } = useTranslation('users');
  return <SecretOnce title={t('oneTime.title', { name })} secret={password} once={t('oneTime.once')} text={t('oneTime.text')} copy={t('oneTime.copy')} kept={t('oneTime.kept')} onClose={onClose} />;
}

export default function Users() {
  return (
    <Allowed to="administer_all">
      <UsersList />
    </Allowed>
  );
}
