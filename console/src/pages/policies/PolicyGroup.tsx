// SPDX-License-Identifier: Apache-2.0
/** One policy group: its settings, tried on the past before they are saved, and the servers it holds for. */
import { useNavigate, useParams } from '@tanstack/react-router';
import { Alert, App, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { send, useSend, useVersioned, type Versioned } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Loading, Shown } from '@/app/states';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { Facts, Page, Panel } from '@/parts/Page';
import { ProjectName } from '@/parts/projects';
import { type Replay, ReplayFiles, ReplayNumbers, ReplayTable } from '@/parts/Replay';
import { Time } from '@/parts/Time';
import { changed, type Fields, fieldsOf, type Settings, settingsOf } from './settings';
import { SettingsFields } from './SettingsFields';
import { UsedBy, useGroupsOf } from './UsedBy';
import { useReplay } from './useReplay';
import './policies.css';

type Group = Schema<'PolicyGroup'>;
type Whole = Fields & { name: string; description: string };

const PATH = '/api/v1/policy-groups/{id}';

export default function PolicyGroup() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useVersioned(PATH, { path: { id } });
  // A new revision is a new form: what somebody else saved is not overwritten unseen.
  return <Shown of={found}>{(thing) => <Editor key={thing.etag} of={thing} />}</Shown>;
}

function Editor({ of: { value: group, etag } }: { of: Versioned<Group> }) {
  const { t } = useTranslation('policies');
  const { done, failed } = useFeedback();
  const { modal } = App.useApp();
  const navigate = useNavigate();
  const can = useCan()('administer', group.project);
  const [form] = Form.useForm<Whole>();
  const [dirty, setDirty] = useState(false);
  const [saving, setSaving] = useState<Whole | null>(null);
  const [deleting, setDeleting] = useState(false);
  const [tried, setTried] = useState<Replay | null>(null);
  const update = useSend('put', PATH, { changes: ['/api/v1/policy-groups', '/api/v1/hosts'] });
  const remove = useSend('delete', PATH, { changes: ['/api/v1/policy-groups'] });
  const replay = useSend('post', '/api/v1/policy-groups/{id}/replay', { changes: [] });
  const { groups } = useGroupsOf(group.id);

  const tryOut = async (settings: Settings) => setTried(await replay.mutateAsync({ path: { id: group.id }, body: { settings } }));

  const restore = async (after: number) => {
    const { data, response } = await api.GET(PATH, { params: { path: { id: group.id } } });
    if (data?.revision !== after) throw new Error(t('changedSince'));
    const body = { name: group.name, description: group.description, settings: group.settings };
    await update.mutateAsync({ path: { id: group.id }, ifMatch: response.headers.get('ETag') ?? '', body });
    done(t('undone'));
  };
  const save = async (f: Whole) => {
    const body = { name: f.name.trim(), description: f.description.trim(), settings: settingsOf(f) };
    const after = await update.mutateAsync({ path: { id: group.id }, ifMatch: etag, body });
    done(t('saved'), { undo: () => restore(after.revision) });
  };
  const copy = async () => {
    try {
      const body = { project: group.project, name: `${group.name.slice(0, 56)} (2)`, description: group.description, settings: group.settings };
      const made = await send('post', '/api/v1/policy-groups', { body });
      done(t('copied'));
      await navigate({ to: '/policies/$id', params: { id: made.id } });
    } catch (e) {
      failed(e);
    }
  };

  return (
    <Page
      title={group.name}
      crumbs={[{ to: '/policies', name: t('policyGroups.title') }]}
      actions={
        can && (
          <>
            <Button onClick={() => void copy()}>{t('copy')}</Button>
            <Button danger onClick={() => setDeleting(true)}>{t('delete')}</Button>
          </>
        )
      }
    >
      <div className="panels">
        <Panel>
          <Facts
            of={[
              [t('column.project'), <ProjectName key="p" id={group.project} />],
              [t('column.updatedBy'), <HostText key="b" text={group.updated_by} />],
              [t('column.updated'), <Time key="t" at={group.updated_at} />],
              [t('column.revision'), group.revision],
            ]}
          />
        </Panel>
        <UsedBy id={group.id} />
      </div>
      <Form<Whole>
        form={form}
        layout="vertical"
        requiredMark={false}
        disabled={!can}
        initialValues={{ ...fieldsOf(group.settings), name: group.name, description: group.description }}
        onValuesChange={() => { setDirty(true); setTried(null); }}
        onFinish={(f) => setSaving({ ...fieldsOf(group.settings), ...f })}
      >
        <Panel title={t('part.what')}>
          <div className="policy-names">
            <Form.Item<Whole> name="name" label={t('column.name')} rules={[{ required: true, whitespace: true, message: t('needed') }]}>
              <Input maxLength={64} />
            </Form.Item>
            <Form.Item<Whole> name="description" label={t('column.description')}>
              <Input maxLength={1000} />
            </Form.Item>
          </div>
        </Panel>
        <SettingsFields />
        <div className="save-bar">
          {can && (
            <Button type="primary" htmlType="submit" disabled={!dirty}>
              {t('save')}
            </Button>
          )}
          <Button
            disabled={false}
            loading={replay.isPending}
            onClick={() => {
              form.validateFields().then(
                (f) => tryOut(settingsOf({ ...fieldsOf(group.settings), ...f })).catch(failed),
                () => undefined,
              );
            }}
          >
            {t('try')}
          </Button>
          {dirty && (
            <Button
              onClick={() => {
                void modal.confirm({ title: t('discardTitle'), okText: t('discard'), onOk: () => { form.resetFields(); setDirty(false); setTried(null); } });
              }}
            >
              {t('discard')}
            </Button>
          )}
          {dirty && <span className="quiet">{t('unsaved')}</span>}
        </div>
      </Form>
      {tried && (
        <Panel title={t('tried')}>
          <p className="quiet">{t('triedText')}</p>
          <ReplayNumbers of={tried} />
          <ReplayTable of={tried} />
        </Panel>
      )}
      {saving && <SaveDialog group={group} fields={saving} onClose={() => setSaving(null)} onSave={save} names={groups.map((g) => g.name)} />}
      <ConfirmDialog
        open={deleting}
        onClose={() => setDeleting(false)}
        title={t('deleteTitle')}
        text={groups.length > 0 ? t('deleteUsed') : t('deleteText')}
        names={[group.name, ...groups.map((g) => g.name)]}
        verb={t('delete')}
        danger
        ready={groups.length === 0}
        action={async () => {
          await remove.mutateAsync({ path: { id: group.id }, ifMatch: etag });
          done(t('deleted'));
          await navigate({ to: '/policies' });
        }}
      />
    </Page>
  );
}

/** Names what changes and for whom, and what it would have changed in the last 30 days. */
function SaveDialog({ group, fields, names, onClose, onSave }: { group: Group; fields: Whole; names: string[]; onClose: () => void; onSave: (f: Whole) => Promise<void> }) {
  const { t } = useTranslation('policies');
  const settings = settingsOf(fields);
  const differs = changed(group.settings, settings);
  const replay = useReplay(group.id, settings);
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t('saveTitle', { name: group.name })}
      text={differs.length === 0 ? t('onlyNames') : `${t('changes')} ${differs.map((n) => t(`setting.${n}`)).join(', ')}`}
      verb={t('save')}
      action={() => onSave(fields)}
    >
      <p>{names.length === 0 ? t('unused') : t('concerns', { names: names.join(', ') })}</p>
      {differs.length > 0 && (
        <>
          <p className="replay-caption">{t('tried')}</p>
          {replay.error && <Alert type="warning" showIcon title={t('notTried')} description={replay.error} />}
          {!replay.data && !replay.error && <Loading />}
          {replay.data && (
            <>
              <ReplayNumbers of={replay.data} />
              <ReplayFiles of={replay.data} />
            </>
          )}
        </>
      )}
    </ConfirmDialog>
  );
}
