// SPDX-License-Identifier: Apache-2.0
/** Changing the own password. What the server asks of one it says itself when it refuses. */
import { Alert, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { send } from '@/api/hooks';
import { isKind } from '@/api/errors';

interface Fields {
  current: string;
  next: string;
  again: string;
}

export function PasswordChange({ onDone }: { onDone: () => Promise<void> | void }) {
  const { t } = useTranslation('me');
  const [form] = Form.useForm<Fields>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const change = async (f: Fields) => {
    setBusy(true);
    setError(null);
    try {
      await send('post', '/api/v1/me/password', { body: { current: f.current, new: f.next } });
      form.resetFields();
      await onDone();
    } catch (e) {
      setError(isKind(e, 'wrong-password') ? t('password.wrong') : e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };

  const needed = { required: true, message: t('needed') };
  return (
    <Form form={form} layout="vertical" requiredMark={false} disabled={busy} className="narrow" onFinish={(f) => void change(f)}>
      {error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />}
      <Form.Item name="current" label={t('password.current')} rules={[needed]}>
        <Input.Password autoComplete="current-password" maxLength={256} />
      </Form.Item>
      <Form.Item name="next" label={t('password.next')} extra={t('password.hint')} rules={[needed, { min: 8, message: t('password.short') }]}>
        <Input.Password autoComplete="new-password" maxLength={256} />
      </Form.Item>
      <Form.Item
        name="again"
        label={t('password.again')}
        dependencies={['next']}
        rules={[
          needed,
          ({ getFieldValue }) => ({
            validator: (_, v: string) =>
              !v || v === getFieldValue('next') ? Promise.resolve() : Promise.reject(new Error(t('password.differs'))),
          }),
        ]}
      >
        <Input.Password autoComplete="new-password" maxLength={256} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={busy}>
        {t('password.change')}
      </Button>
    </Form>
  );
}
