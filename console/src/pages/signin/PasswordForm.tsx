// SPDX-License-Identifier: Apache-2.0
/** User name, password and, where the server asks for it, the code of the second factor. */
import { Alert, Button, Form, Input, type InputRef } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { isKind } from '@/api/errors';

interface Fields {
  user: string;
  password: string;
  code?: string;
}

/** `user`: that one and nobody else. */
export function PasswordForm({ user, onDone }: { user?: string; onDone: () => Promise<void> | void }) {
  const { t } = useTranslation('signin');
  const [form] = Form.useForm<Fields>();
  const [asksCode, setAsksCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const code = useRef<InputRef>(null);
  useEffect(() => {
    if (asksCode) code.current?.focus();
  }, [asksCode]);

  const signIn = async (fields: Fields) => {
    setBusy(true);
    setError(null);
    try {
      const body = { user: user ?? fields.user.trim(), password: fields.password, code: fields.code?.trim() || null };
      await api.POST('/api/v1/login', { body });
      await onDone();
    } catch (e) {
      if (isKind(e, 'second-factor')) {
        // Asked for the first time it is a question, later it is an answer.
        if (asksCode) setError(t('wrongCode'));
        setAsksCode(true);
        form.setFieldValue('code', '');
      } else {
        setError(isKind(e, 'wrong-password') ? t('wrong') : e instanceof Error ? e.message : String(e));
      }
    } finally {
      setBusy(false);
    }
  };

  const needed = [{ required: true, message: t('needed') }];
  return (
    <Form form={form} layout="vertical" requiredMark={false} onFinish={(f) => void signIn(f)} disabled={busy}>
      {error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />}
      {user === undefined && (
        <Form.Item name="user" label={t('user')} rules={needed}>
          <Input autoComplete="username" autoFocus maxLength={64} spellCheck={false} readOnly={asksCode} />
        </Form.Item>
      )}
      <Form.Item name="password" label={t('password')} rules={needed} hidden={asksCode}>
        <Input.Password autoComplete="current-password" autoFocus={user !== undefined} maxLength={256} />
      </Form.Item>
      {asksCode && (
        <Form.Item name="code" label={t('code')} rules={needed} extra={t('codeHint')}>
          <Input ref={code} autoComplete="one-time-code" maxLength={64} spellCheck={false} />
        </Form.Item>
      )}
      <Button type="primary" htmlType="submit" block loading={busy}>
        {t('go')}
      </Button>
      {asksCode && (
        <Button
          type="link"
          block
          onClick={() => {
            setAsksCode(false);
            setError(null);
            form.resetFields();
          }}
        >
          {t('other')}
        </Button>
      )}
    </Form>
  );
}
