// SPDX-License-Identifier: Apache-2.0
/** A new key of some kind: what for, how long, with which rights; its secret is shown this once. */
import { Alert, Button, Form, Input, Modal, Select } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Grant } from '@/app/permissions';
import { useMe } from '@/app/session';
import { useAttempt } from '@/parts/attempt';
import { useWord } from '@/parts/tags';
import { givable, grantKey, grantOf } from './grants';

interface Fields {
  note: string;
  days: number;
  grants?: string[];
}

/** What every kind is asked for with. */
interface Wanted {
  note: string;
  /** Absent: never ends. */
  expires_at: string | null;
  /** Empty: all that the owner has. */
  grants: Grant[];
}

interface Props<S> {
  title: string;
  create: (wanted: Wanted) => Promise<S>;
  /** What to do with the secret, in the warning above it. */
  once: string;
  /** The secret. */
  shown: (made: S) => ReactNode;
  onClose: () => void;
}

const DAYS = [7, 30, 90, 365, 0];

export function NewKey<S>({ title, create, once, shown, onClose }: Props<S>) {
  const { t } = useTranslation('keys');
  const word = useWord();
  const me = useMe();
  const projects = useGet('/api/v1/projects', {}, { staleTime: 60_000 });
  const { busy, error, attempt } = useAttempt();
  const [made, setMade] = useState<{ secret: S } | null>(null);

  const make = (f: Fields) =>
    attempt(async () => {
      const expires_at = f.days > 0 ? new Date(Date.now() + f.days * 86_400_000).toISOString() : null;
      setMade({ secret: await create({ note: f.note.trim(), expires_at, grants: (f.grants ?? []).map(grantOf) }) });
    });

  const ids = (projects.data?.items ?? []).map((p) => p.id);
  const options = givable(me.grants, ids).map((g) => ({
    value: grantKey(g),
    label: `${word('role', g.role)} · ${g.project === '*' ? t('everywhere') : g.project}`,
  }));

  return (
    <Modal open title={title} width={680} onCancel={onClose} footer={null} mask={{ closable: false }} closable={made === null} keyboard={made === null}>
      {made !== null ? (
        <>
          <Alert type="warning" showIcon title={t('once')} description={once} />
          {shown(made.secret)}
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
          <Button type="primary" htmlType="submit" loading={busy}>
            {t('make')}
          </Button>
        </Form>
      )}
    </Modal>
  );
}
