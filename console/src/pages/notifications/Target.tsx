// SPDX-License-Identifier: Apache-2.0
/** One target: how far it is, a test message, its settings, its secret. */
import { useNavigate, useParams } from '@tanstack/react-router';
import { Alert, Button, Checkbox, Form } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend, useVersioned, type Versioned } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useMe } from '@/app/session';
import { Shown } from '@/app/states';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { ListLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Facts, Page, Panel } from '@/parts/Page';
import { ProjectName } from '@/parts/projects';
import { useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { type Fields, fieldsOf, placeOf, secretsOf, settingsOf } from './form';
import { HookSecret, TargetState } from './Notifications';
import { TargetFields } from './TargetFields';

type Row = Schema<'Target'>;
const PATH = '/api/v1/targets/{id}';

export default function Target() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useVersioned(PATH, { path: { id } });
  return <Shown of={found}>{(thing) => <TargetPage of={thing} />}</Shown>;
}

function TargetPage({ of: { value: target, etag } }: { of: Versioned<Row> }) {
  const { t, i18n } = useTranslation('notifications');
  const word = useWord();
  const me = useMe();
  const can = useCan();
  const navigate = useNavigate();
  const { done, failed } = useFeedback();
  const [tested, setTested] = useState<Schema<'TargetTest'> | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const [keepOld, setKeepOld] = useState(true);
  const path = { id: target.id };
  const test = useSend('post', '/api/v1/targets/{id}/test');
  const rotate = useSend('post', '/api/v1/targets/{id}/rotate-secret');
  const remove = useSend('delete', PATH);
  const dead = useGet('/api/v1/dead-letters', { query: { target: target.id, limit: 1 } });
  const everywhere = me.grants.some((g) => g.project === '*' && g.role === 'administrator');
  const may = target.project && target.kind !== 'file' ? can('administer', target.project) : everywhere;
  const s = target.state;
  const number = (n: number) => numberText(n, i18n.language);

  return (
    <Page
      title={target.name}
      beside={<TargetState of={target} />}
      crumbs={[{ to: '/notifications', name: t('notifications.title') }]}
      actions={
        may && (
          <>
            <Button
              type="primary"
              loading={test.isPending}
              onClick={() => {
                setTested(null);
                test.mutateAsync({ path }).then(setTested, failed);
              }}
            >
              {t('test')}
            </Button>
            {target.kind === 'webhook' && (
              <ConfirmAction
                label={t('rotate')} title={t('rotateTitle')} text={t('rotateText')} names={[target.name]} verb={t('rotate')}
                action={async () => setSecret((await rotate.mutateAsync({ path, body: { keep_old: keepOld } })).secret ?? null)}
              >
                <Checkbox checked={keepOld} onChange={(e) => setKeepOld(e.target.checked)}>{t('keepOld')}</Checkbox>
              </ConfirmAction>
            )}
            <ConfirmAction
              label={t('delete')} title={t('deleteTitle')} text={t('deleteText')} names={[`${target.name}: ${placeOf(target.settings)}`]} verb={t('delete')} danger
              action={async () => {
                await remove.mutateAsync({ path, ifMatch: etag });
                done(t('deleted'));
                await navigate({ to: '/notifications' });
              }}
            />
          </>
        )
      }
    >
      {tested && (
        <Alert
          className="door-error" closable={{ onClose: () => setTested(null) }} showIcon role="alert" type={tested.delivered ? 'success' : 'error'}
          title={t(tested.delivered ? 'testTaken' : 'testRefused')} description={tested.error && <HostText text={tested.error} />}
        />
      )}
      <Panel title={t('progress')}>
        <Facts
          of={[
            [t('column.kind'), word('targetKind', target.kind)],
            [t('column.place'), <HostText key="p" text={placeOf(target.settings)} />],
            [t('column.project'), <ProjectName key="j" id={target.project} />],
            [t('column.sent'), number(s.sent)],
            [t('column.last'), s.last_success_at ? <Time key="l" at={s.last_success_at} /> : null],
            [t('lastFailure'), s.last_failure_at ? <Time key="f" at={s.last_failure_at} /> : null],
            [t('failures'), number(s.failures)],
            [t('nextTry'), s.next_try_at ? <Time key="n" at={s.next_try_at} /> : null],
            [t('nextDigest'), s.next_digest_at ? <Time key="d" at={s.next_digest_at} /> : null],
            [t('missed'), number(s.missed)],
            [t('dead.title'), dead.data ? <ListLink key="e" to="/notifications/dead-letters" search={{ target: target.id }}>{number(dead.data.total)}</ListLink> : null],
            [t('secrets'), target.kind === 'webhook' ? number(target.webhook_secrets) : t(target.has_password || target.has_token ? 'kept' : 'noSecret')],
            [t('column.updatedBy'), <HostText key="b" text={target.updated_by} />],
            [t('column.updated'), <Time key="u" at={target.updated_at} />],
          ]}
        />
        {s.error && <Alert type="error" showIcon title={<HostText text={s.error} />} />}
      </Panel>
      <SettingsPanel key={target.updated_at} target={target} etag={etag} may={may} />
      {secret && <HookSecret secret={secret} onClose={() => setSecret(null)} />}
    </Page>
  );
}

function SettingsPanel({ target, etag, may }: { target: Row; etag: string; may: boolean }) {
  const { t } = useTranslation('notifications');
  const { done } = useFeedback();
  const [dirty, setDirty] = useState(false);
  const [form] = Form.useForm<Fields>();
  const update = useSend('put', PATH);
  const before = fieldsOf(target);
  const save = async (f: Fields) => {
    const whole = { ...before, ...f };
    await update.mutateAsync({ path: { id: target.id }, ifMatch: etag, body: { name: whole.name.trim(), enabled: whole.enabled, settings: settingsOf(whole), ...secretsOf(whole) } });
    setDirty(false);
    done(t('saved'));
  };
  return (
    <Panel title={t('settings')}>
      <Form<Fields> form={form} layout="vertical" requiredMark={false} disabled={!may} initialValues={before} className="narrow-form" onValuesChange={() => setDirty(true)} onFinish={(f) => void save(f).catch(() => undefined)}>
        <TargetFields old={{ kind: target.kind, hasSecret: target.has_password || target.has_token }} />
        {update.error && <Alert type="error" showIcon title={update.error.message} role="alert" className="door-error" />}
        {may && (
          <div className="form-actions">
            <Button type="primary" htmlType="submit" disabled={!dirty} loading={update.isPending}>{t('save')}</Button>
            {dirty && <Button onClick={() => { form.resetFields(); setDirty(false); }}>{t('discard')}</Button>}
          </div>
        )}
      </Form>
    </Panel>
  );
}
