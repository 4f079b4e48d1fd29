// SPDX-License-Identifier: Apache-2.0
/** The sign-in ended in the middle of something: sign in again over the page, which keeps its state. */
import { Alert, Button, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { PasswordForm } from './PasswordForm';

export default function SignInAgain({ user, onDone }: { user: string; onDone: () => void }) {
  const { t } = useTranslation('signin');
  const providers = useGet('/api/v1/sso/providers');
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  /** Asks past the usual client: that one would wait for this very dialog. */
  const look = async () => {
    setBusy(true);
    setError(null);
    try {
      const answer = await fetch('/api/v1/me', { credentials: 'same-origin' });
      if (!answer.ok) {
        setError(t('again.notYet'));
        return;
      }
      const me = (await answer.json()) as Schema<'Me'>;
      if (me.name === user) {
        onDone();
        return;
      }
      // What stands on the page is another person's.
      setError(t('again.otherUser', { user: me.name }));
      location.reload();
    } catch {
      setError(t('again.notYet'));
    } finally {
      setBusy(false);
    }
  };

  const passwords = providers.data?.passwords ?? true;
  const items = providers.data?.items ?? [];
  return (
    <Modal open title={t('again.title')} closable={false} mask={{ closable: false }} keyboard={false} footer={null} width={440} zIndex={3000}>
      <p>{t('again.text', { user })}</p>
      {error && <Alert type="warning" title={error} role="alert" className="door-error" />}
      {passwords && <PasswordForm user={user} onDone={onDone} />}
      {items.length > 0 && (
        <>
          {passwords && <div className="door-or">{t('or')}</div>}
          {items.map((p) => (
            <Button key={p.name} block href={`${p.start}?return_to=/ui/`} target="_blank" rel="noopener" className="door-provider">
              {t('again.atProvider')} ({p.title})
            </Button>
          ))}
          <Button block type={passwords ? 'default' : 'primary'} loading={busy} onClick={() => void look()}>
            {t('again.goOn')}
          </Button>
        </>
      )}
      <Button type="link" block onClick={() => location.assign('/ui/signin')}>
        {t('again.leave')}
      </Button>
    </Modal>
  );
}
