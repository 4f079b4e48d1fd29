// SPDX-License-Identifier: Apache-2.0
/** A sample as an encrypted archive, for those who may: asked first, with its password, noted in the audit log. */
import { Alert, Button, Input, Modal, type ButtonProps } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { patientFetch } from '@/api/client';
import { ApiError } from '@/api/errors';
import { useAttempt } from '@/parts/attempt';
import { CopyButton } from '@/parts/CopyButton';
import { Digest } from '@/parts/FileName';
import { sizeText } from '@/parts/numbers';
import { Facts } from '@/parts/Page';
import './programs.css';

interface Props {
  sha256: string;
  project: string;
  bytes: number;
  button?: ButtonProps;
}

const SHORTEST = 12;

/** The archive, and the password that opens it. */
async function fetchArchive(sha256: string, project: string, own: string): Promise<{ blob: Blob; password: string }> {
  const url = `/api/v1/samples/${sha256}/download?project=${encodeURIComponent(project)}`;
  const answer = await patientFetch(
    new Request(new URL(url, location.origin), {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', 'X-Lazaret-CSRF': '1' },
      body: JSON.stringify(own ? { password: own } : {}),
    }),
  );
  if (!answer.ok) throw await ApiError.from(answer);
  return { blob: await answer.blob(), password: own || (answer.headers.get('X-Lazaret-Archive-Password') ?? '') };
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function SampleDownload({ sha256, project, bytes, button }: Props) {
  const { t, i18n } = useTranslation('programs');
  const [open, setOpen] = useState(false);
  const [own, setOwn] = useState('');
  const { busy, error, attempt, forget } = useAttempt();
  const [password, setPassword] = useState<string | null>(null);
  const short = own.length > 0 && own.length < SHORTEST;
  const close = () => {
    setOpen(false);
    setOwn('');
    forget();
    // A password is shown to whoever asked for it, and kept nowhere.
    setPassword(null);
  };
  const get = () =>
    attempt(async () => {
      const { blob, password: opens } = await fetchArchive(sha256, project, own);
      save(blob, `${sha256}.age`);
      setPassword(opens);
    });
  return (
    <>
      <Button {...button} onClick={() => setOpen(true)}>
        {t('download.button')}
      </Button>
      <Modal
        open={open}
        title={t('download.title')}
        onCancel={busy ? undefined : close}
        mask={{ closable: false }}
        destroyOnHidden
        footer={
          password === null
            ? [
                <Button key="no" onClick={close} disabled={busy}>
                  {t('download.cancel')}
                </Button>,
                <Button key="yes" type="primary" loading={busy} disabled={short} onClick={() => void get()}>
                  {t('download.verb')}
                </Button>,
              ]
            : [
                <Button key="done" type="primary" onClick={close}>
                  {t('download.done')}
                </Button>,
              ]
        }
      >
        <div className="ask">
          <Facts
            wide
            of={[
              [t('column.sha256'), <Digest key="d" value={sha256} whole />],
              [t('column.size'), sizeText(bytes, i18n.language)],
            ]}
          />
          {password === null ? (
            <>
              <Alert type="warning" showIcon title={t('download.careful')} description={t('download.audited')} />
              <label htmlFor="sample-password">{t('download.own')}</label>
              <Input.Password
                id="sample-password"
                autoComplete="new-password"
                maxLength={256}
                value={own}
                status={short ? 'error' : undefined}
                onChange={(e) => setOwn(e.target.value)}
              />
              <span className={short ? 'error-text' : 'quiet'}>{t('download.ownHint', { count: SHORTEST })}</span>
            </>
          ) : (
            <>
              <Alert type="success" showIcon title={t('download.saved', { name: `${sha256.slice(0, 12)}….age` })} description={t('download.once')} />
              <span>
                {t('download.password')} <code className="secret">{password}</code> <CopyButton text={password} label={t('download.copy')} />
              </span>
              <code className="secret">age -d -o sample {sha256.slice(0, 12)}….age</code>
            </>
          )}
          {error && <Alert type="error" showIcon title={error} role="alert" />}
        </div>
      </Modal>
    </>
  );
}
