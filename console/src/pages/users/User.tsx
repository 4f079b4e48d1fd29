// SPDX-License-Identifier: Apache-2.0
/** One user: rights, state, password, second factor, sign-ins. */
import { useNavigate, useParams } from '@tanstack/react-router';
import { Alert, Button, Form } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import type { Grant } from '@/app/permissions';
import { useMe } from '@/app/session';
import { Allowed, Shown } from '@/app/states';
import { ConfirmAction, ConfirmDialog } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { ListLink } from '@/parts/links';
import { Facts, Page, Panel } from '@/parts/Page';
import { Tag } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { GrantFields, useGrantText } from './Grants';
import { OneTime, UserState } from './Users';
import './users.css';

type Person = Schema<'User'>;
type Session = Schema<'Session'>;

function Loaded() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/users/{id}', { path: { id } });
  return <Shown of={found}>{(user) => <UserPage user={user} />}</Shown>;
}

function UserPage({ user }: { user: Person }) {
  const { t } = useTranslation('users');
  const { done, failed } = useFeedback();
  const me = useMe();
  const navigate = useNavigate();
  const update = useSend('put', '/api/v1/users/{id}');
  const reset = useSend('post', '/api/v1/users/{id}/reset-password');
  const remove = useSend('delete', '/api/v1/users/{id}');
  const noFactor = useSend('delete', '/api/v1/users/{id}/second-factor');
  const sessions = useGet('/api/v1/users/{id}/sessions', { path: { id: user.id } });
  const [password, setPassword] = useState<string | null>(null);
  const path = { id: user.id };
  const self = me.id === user.id;
  const provided = (sessions.data?.providers.length ?? 0) > 0;

  const change = async (body: Schema<'UserChange'>, text: string, back?: Schema<'UserChange'>) => {
    await update.mutateAsync({ path, body });
    done(text, back && { undo: () => update.mutateAsync({ path, body: back }).then(() => done(t('undone'))) });
  };

  return (
    <Page
      title={user.name}
      beside={<UserState of={user} />}
      crumbs={[{ to: '/users', name: t('users.title') }]}
      actions={
        <>
          {user.locked_until && (
            <Button onClick={() => void change({ unlock: true }, t('unlocked')).catch(failed)}>{t('unlock')}</Button>
          )}
          {!self && !provided && (
            <ConfirmAction
              label={t('reset')}
              title={t('resetTitle')}
              text={t('resetText')}
              names={[user.name]}
              verb={t('reset')}
              danger
              button={{ danger: false }}
              action={async () => setPassword((await reset.mutateAsync({ path })).one_time_password)}
            />
          )}
          {!self && user.disabled && <Button onClick={() => void change({ disabled: false }, t('enabled'), { disabled: true }).catch(failed)}>{t('enable')}</Button>}
          {!self && !user.disabled && (
            <ConfirmAction
              label={t('disable')}
              title={t('disableTitle')}
              text={t('disableText')}
              names={[user.name]}
              verb={t('disable')}
              danger
              action={() => change({ disabled: true }, t('disabled'), { disabled: false })}
            />
          )}
          {!self && (
            <ConfirmAction
              label={t('delete')}
              title={t('deleteTitle')}
              text={t('deleteText')}
              names={[user.name]}
              verb={t('delete')}
              danger
              action={async () => {
                await remove.mutateAsync({ path });
                done(t('deleted'));
                await navigate({ to: '/users' });
              }}
            />
          )}
        </>
      }
    >
      <div className="panels">
        <Panel title={t('overview')} extra={<ListLink to="/audit" search={{ who: user.name }}>{t('didWhat')}</ListLink>}>
          <Facts
            wide
            of={[
              [t('column.created'), <Time key="c" at={user.created_at} />],
              [t('column.last'), user.last_sign_in_at ? <Time key="l" at={user.last_sign_in_at} /> : t('never')],
              [t('lockedUntil'), user.locked_until ? <Time key="u" at={user.locked_until} /> : null],
              [t('comesBy'), provided ? <HostText key="p" text={sessions.data?.providers.join(', ')} /> : t('byPassword')],
            ]}
          />
          {self && <p className="quiet">{t('self')}</p>}
        </Panel>
        <Panel title={t('factor.title')}>
          <Shown of={sessions}>
            {({ second_factor }) => (
              <>
                <p>
                  <Tag tone={second_factor ? 'good' : 'quiet'}>{t(second_factor ? 'factor.on' : 'factor.off')}</Tag>{' '}
                  {t(provided ? 'factor.provider' : second_factor ? 'factor.onText' : 'factor.offText')}
                </p>
                {second_factor && !self && (
                  <ConfirmAction
                    label={t('factor.take')}
                    title={t('factor.takeTitle')}
                    text={t('factor.takeText')}
                    names={[user.name]}
                    verb={t('factor.take')}
                    danger
                    action={async () => {
                      await noFactor.mutateAsync({ path });
                      done(t('factor.taken'));
                    }}
                  />
                )}
              </>
            )}
          </Shown>
        </Panel>
      </div>
      <GrantsPanel key={JSON.stringify(user.grants)} user={user} provided={provided} onSave={change} />
      <SessionsPanel user={user} />
      {password !== null && <OneTime name={user.name} password={password} onClose={() => setPassword(null)} />}
    </Page>
  );
}

function GrantsPanel({ user, provided, onSave }: { user: Person; provided: boolean; onSave: (body: Schema<'UserChange'>, text: string, back: Schema<'UserChange'>) => Promise<void> }) {
  const { t } = useTranslation('users');
  const text = useGrantText();
  const [wanted, setWanted] = useState<Grant[] | null>(null);
  const [dirty, setDirty] = useState(false);
  const [form] = Form.useForm<{ grants: Grant[] }>();
  return (
    <Panel title={t('rights')}>
      {provided && <Alert type="info" showIcon title={t('providedRights')} className="door-error" />}
      <Form form={form} layout="vertical" initialValues={{ grants: user.grants }} onValuesChange={() => setDirty(true)} onFinish={(f) => setWanted(f.grants)} className="grants-form">
        <GrantFields />
        <div className="form-actions">
          <Button type="primary" htmlType="submit" disabled={!dirty}>{t('saveRights')}</Button>
          {dirty && <Button onClick={() => { form.resetFields(); setDirty(false); }}>{t('discard')}</Button>}
        </div>
      </Form>
      <ConfirmDialog
        open={wanted !== null}
        onClose={() => setWanted(null)}
        title={t('rightsTitle', { name: user.name })}
        text={t('rightsText')}
        names={wanted?.length ? wanted.map(text) : [t('grant.none')]}
        verb={t('saveRights')}
        action={() => onSave({ grants: wanted ?? [] }, t('rightsSaved'), { grants: user.grants })}
      />
    </Panel>
  );
}

function SessionsPanel({ user }: { user: Person }) {
  const { t } = useTranslation('users');
  const { done } = useFeedback();
  const rows = wholeList(useGet('/api/v1/users/{id}/sessions', { path: { id: user.id } }));
  const end = useSend('delete', '/api/v1/users/{id}/sessions/{session}');
  const endAll = useSend('delete', '/api/v1/users/{id}/sessions');
  const columns: Column<Session>[] = [
    { id: 'note', title: t('session.note'), width: 260, grow: 2, render: (row) => <><HostText text={row.note} /> {row.current && <Tag tone="good">{t('session.current')}</Tag>}</>, csv: (row) => row.note },
    { id: 'created', title: t('session.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'used', title: t('session.used'), width: 160, grow: 0, render: (row) => <Time at={row.last_used_at} />, csv: (row) => row.last_used_at },
    { id: 'expires', title: t('session.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    {
      id: 'actions', title: t('session.actions'), width: 90, grow: 0,
      render: (row) => !row.current && (
        <ConfirmAction
          label={t('session.end')} button={{ type: 'link', size: 'small' }} title={t('session.endTitle')} text={t('session.endText')} names={[row.note]} verb={t('session.end')} danger
          action={async () => { await end.mutateAsync({ path: { id: user.id, session: row.id } }); done(t('session.ended', { count: 1 })); }}
        />
      ),
    },
  ];
  return (
    <Panel title={t('session.title')} flush>
      <DataTable
        id="user-sessions" label={t('session.title')} rows={rows} idOf={(row) => row.id} columns={columns} height={260} empty={t('session.none')}
        tools={rows.total > 0 && (
          <ConfirmAction
            label={t('session.endAll')} button={{ size: 'small' }} title={t('session.endAllTitle')} text={t('session.endText')} names={[user.name]} verb={t('session.endAll')} danger
            action={async () => { const { sessions } = await endAll.mutateAsync({ path: { id: user.id } }); done(t('session.ended', { count: sessions })); }}
          />
        )}
      />
    </Panel>
  );
}

export default function User() {
  return (
    <Allowed to="administer_all">
      <Loaded />
    </Allowed>
  );
}
