// SPDX-License-Identifier: Apache-2.0
/** Changes a part of a policy group's settings: tried on the past before, taken back after. */
import { Alert, Button, Form, Modal } from 'antd';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend, useVersioned } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { Shown } from '@/app/states';
import { FOR_FORMS, useFirst } from '@/pages/hosts/useFirst';
import { useFeedback } from '@/parts/feedback';
import { HostText, safeText } from '@/parts/FileName';
import { TextArea } from '@/parts/TextArea';
import { foldersOf, MOST_FOLDERS, notAFolder, withSettings, type PolicyGroup, type Settings } from './settings';

interface Props<F extends object> {
  group: PolicyGroup;
  title: string;
  /** The form's fields from the settings, and what they change. */
  read: (settings: Settings) => F;
  write: (fields: F) => Partial<Settings>;
  children: ReactNode;
  onClose: () => void;
}

export function EditSettings<F extends object>(props: Props<F>) {
  const found = useFirst(useVersioned('/api/v1/policy-groups/{id}', { path: { id: props.group.id } }, FOR_FORMS));
  return <Shown of={found}>{({ value, etag }) => <EditForm {...props} group={value} etag={etag} />}</Shown>;
}

function EditForm<F extends object>({ group, title, read: fieldsOf, write, children, onClose, etag }: Props<F> & { etag: string }) {
  const { t } = useTranslation('install');
  const { done } = useFeedback();
  const [form] = Form.useForm<F>();
  const change = useSend('put', '/api/v1/policy-groups/{id}', { changes: ['/api/v1/policy-groups', '/api/v1/hosts'] });
  const replay = useSend('post', '/api/v1/policy-groups/{id}/replay', { changes: [] });
  const [error, setError] = useState<string | null>(null);
  const [tried, setTried] = useState<Schema<'Replay'> | null>(null);
  const path = { id: group.id };

  const put = (settings: Settings, ifMatch: string) =>
    change.mutateAsync({ path, ifMatch, body: { name: group.name, description: group.description, settings } });
  const attempt = async (act: (settings: Settings) => Promise<void>) => {
    setError(null);
    try {
      const fields = (await form.validateFields()) as F;
      await act(withSettings(group.settings, write(fields)));
    } catch (e) {
      // What a field says for itself stands below it.
      if (e instanceof Error) setError(e.message);
    }
  };
  const save = () =>
    attempt(async (settings) => {
      const after = await put(settings, etag);
      done(t('edit.saved', { name: safeText(group.name) }), { undo: () => put(group.settings, `"${after.revision}"`) });
      onClose();
    });
  const look = () =>
    attempt(async (settings) => {
      setTried(await replay.mutateAsync({ path, body: { settings } }));
    });

  return (
    <Modal
      open
      title={title}
      width={640}
      onCancel={onClose}
      mask={{ closable: false }}
      footer={[
        <Button key="try" loading={replay.isPending} onClick={() => void look()}>
          {t('edit.replay')}
        </Button>,
        <Button key="no" onClick={onClose}>
          {t('edit.cancel')}
        </Button>,
        <Button key="yes" type="primary" loading={change.isPending} onClick={() => void save()}>
          {t('edit.save')}
        </Button>,
      ]}
    >
      <p className="confirm-text">
        {t('edit.of')}{' '}
        <Link to="/policies/$id" params={path}>
          <HostText text={group.name} />
        </Link>
      </p>
      <Form<F> form={form} layout="vertical" requiredMark={false} initialValues={fieldsOf(group.settings)} onValuesChange={() => setTried(null)} onFinish={() => void save()}>
        {children}
      </Form>
      {tried && (
        <Alert
          type={tried.more_isolations + tried.fewer_isolations > 0 ? 'warning' : 'info'}
          showIcon
          role="status"
          title={t('edit.tried', { judged: tried.judged })}
          description={t('edit.triedText', { more: tried.more_isolations, fewer: tried.fewer_isolations, ratings: tried.other_ratings, gone: tried.gone_alarms })}
        />
      )}
      {error && <Alert type="error" showIcon role="alert" title={error} />}
    </Modal>
  );
}

/** A field of folders, one a line. */
export function FoldersField({ name, label, extra }: { name: string; label: string; extra: string }) {
  const { t } = useTranslation('install');
  const check = (_: unknown, text: string | undefined) => {
    const folders = foldersOf(text ?? '');
    const bad = notAFolder(folders);
    if (bad !== undefined) return Promise.reject(new Error(t('edit.noFolder', { folder: safeText(bad) })));
    if (folders.length > MOST_FOLDERS) return Promise.reject(new Error(t('edit.tooMany', { count: MOST_FOLDERS })));
    return Promise.resolve();
  };
  return (
    <Form.Item name={name} label={label} extra={extra} rules={[{ validator: check }]}>
      <TextArea least={4} most={12} spellCheck={false} className="folders" />
    </Form.Item>
  );
}
