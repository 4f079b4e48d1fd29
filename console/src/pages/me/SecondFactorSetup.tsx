// SPDX-License-Identifier: Apache-2.0
/** Setting up a second factor: password, QR code, first code, recovery codes. */
import { Alert, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { send } from '@/api/hooks';
import { isKind } from '@/api/errors';
import type { Schema } from '@/api/types';
import { CopyButton } from '@/parts/CopyButton';
import { QrCode } from './QrCode';
import { RecoveryCodes } from './RecoveryCodes';

export function SecondFactorSetup({ onDone }: { onDone: () => Promise<void> | void }) {
  const { t } = useTranslation('me');
  const [enrolment, setEnrolment] = useState<Schema<'Enrolment'> | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const run = async (what: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await what();
    } catch (e) {
      if (isKind(e, 'wrong-password')) setError(t('password.wrong'));
      else if (isKind(e, 'second-factor')) setError(t('factor.wrongCode'));
      else setError(e instanceof Error ? e.message : String(e));
    } finally {
      setBusy(false);
    }
  };
  const begin = (password: string) =>
    run(async () => setEnrolment(await send('post', '/api/v1/me/second-factor', { body: { password } })));
  const confirm = (code: string) =>
    run(async () => {
      const answer = await send('post', '/api/v1/me/second-factor/confirm', { body: { code: code.trim() } });
      setCodes(answer.recovery_codes);
    });

  const needed = [{ required: true, message: t('needed') }];
  const trouble = error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />;

  if (codes) return <RecoveryCodes codes={codes} onDone={() => void onDone()} />;
  if (!enrolment) {
    return (
      <Form<{ password: string }> layout="vertical" requiredMark={false} disabled={busy} className="narrow" onFinish={(f) => void begin(f.password)}>
        {trouble}
        <Form.Item name="password" label={t('factor.password')} rules={needed}>
          <Input.Password autoComplete="current-password" maxLength={256} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={busy}>
          {t('factor.begin')}
        </Button>
      </Form>
    );
  }
  return (
    <Form<{ code: string }> layout="vertical" requiredMark={false} disabled={busy} className="narrow" onFinish={(f) => void confirm(f.code)}>
      {trouble}
      <p>{t('factor.scan')}</p>
      <QrCode text={enrolment.uri} label={t('factor.qr')} />
      <p>
        {t('factor.orType')} <code className="secret">{enrolment.secret}</code>
        <CopyButton text={enrolment.secret} />
      </p>
      <Form.Item name="code" label={t('factor.code')} rules={needed}>
        <Input autoComplete="one-time-code" inputMode="numeric" maxLength={16} spellCheck={false} autoFocus />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={busy}>
        {t('factor.confirm')}
      </Button>
    </Form>
  );
}
