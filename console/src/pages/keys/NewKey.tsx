// SPDX-License-Identifier: Apache-2.0
/** A new key: what for, how long, with which rights; its secret is shown this once. */
import { Alert, Button, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { useMe } from '@/app/session';
import { CopyButton } from '@/parts/CopyButton';
import { useWord } from '@/parts/tags';
import { givable, grantKey, grantOf } from './grants';

interface Fields {
  note: string;
  days: number;
  grants?: string[];
}

const DAYS = [7, 30, 90, 365, 0];

export function NewKey({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('keys');
  const word = useWord();
  const me = useMe();
  const projects = useGet('/api/v1/projects', {}, { staleTime: 60_000 });
  const create = useSend('post', '/api/v1/me/api-keys', { changes: ['/api/v1/me/api-keys'] });
  const [secret, setSecret] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);

  const make = async (f: Fields) => {
    setError(null);
    try {
      const expires_at = f.days > 0 ? new Date(Date.now() + f.days * 86_400_000).toISOString() : null;
      const body = { note: f.note.trim(), expires_at, grants: (f.grants ?? []).map(grantOf) };
      setSecret((await create.mutateAsync({ body })).key);
    } catch (e) {
      setError(e instanceof Error ? e.message : String(e));
    }
  };

  const ids = (projects.data?.items ?? []).map((p) => p.id);
  const options = givable(me.grants, ids).map((g) => ({
    value: grantKey(g),
    label: `${word('role', g.role)} · ${g.project === '*' ? t('everywhere') : g.project}`,
  }));

  return (
    <Modal open title={t('new')} onCancel={onClose} footer={null} mask={{ closable: false }} closable={secret === null} keyboard={secret === null}>
      {secret !== null ? (
        <>
          <Alert type="warning" showIcon title={t('once')} description={t('onceText')} />
          <p className="key-secret">
            <code className="secret">{secret}</code> <CopyButton text={secret} label={t('copyKey')} />
          </p>
          <Button type="primary" onClick={onClose}>
            {t('haveIt')}
          </Button>
        </>
      ) : (
        <Form<Fields> layout="vertical" requiredMark={false} initialValues={{ days: 90 }} onFinish={(f) => void make(f)}>
          {error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />}
          <Form.Item name="note" label={t('column.note')} extra={t('noteHint')} rules={[{ required: true, message: t('needed') }]}>
            <Input maxLength={200} autoFocus />
          </Form.Item>
          <Form.Item name="days" label={t('validFor')}>
            <Select options={DAYS.map((d) => ({ value: d, label: d === 0 ? t('forever') : t('days', { count: d }) }))} />
          </Form.Item>
          <Form.Item name="grants" label={t('column.roles')} extra={t('grantsHint')}>
            <Select mode="multiple" options={options} optionFilterProp="label" placeholder={t('allOfMine')} />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={create.isPending}>
            {t('make')}
          </Button>
        </Form>
      )}
    </Modal>
  );
}
