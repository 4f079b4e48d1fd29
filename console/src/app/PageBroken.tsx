// SPDX-License-Identifier: Apache-2.0
/** A page that failed while it was fetched or shown: the frame around it goes on. */
import { useEffect, useState } from 'react';
import { Button } from 'antd';
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { OfflineError } from '@/api/errors';
import { Failure, Loading, State } from './states';

/** Milliseconds between two looks whether the server is there again. */
const LOOK = 3000;

/** A chunk that does not come: the server was updated while the page was open, or it cannot be reached. */
function isNoChunk(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|Importing a module script|preload CSS/i.test(error.message);
}

async function isThere(): Promise<boolean> {
  try {
    await fetch('/ui/', { method: 'HEAD', cache: 'no-store' });
    return true;
  } catch {
    return false;
  }
}

function NoChunk() {
  const { t } = useTranslation('shell');
  const [there, setThere] = useState<boolean>();
  useEffect(() => {
    let [over, lost] = [false, false];
    const look = async () => {
      const now = await isThere();
      if (over) return;
      // There was nothing on this page yet that could be lost.
      if (now && lost) location.reload();
      lost = !now;
      setThere(now);
    };
    void look();
    const timer = setInterval(() => lost && void look(), LOOK);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, []);
  if (there === undefined) return <Loading />;
  if (!there) return <Failure error={new OfflineError()} />;
  return (
    <State
      title={t('state.updated')}
      role="alert"
      actions={<Button type="primary" onClick={() => location.reload()}>{t('state.reload')}</Button>}
    >
      {t('state.updatedText')}
    </State>
  );
}

export function PageBroken({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation('shell');
  const router = useRouter();
  if (isNoChunk(error)) return <NoChunk />;
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <State title={t('state.broken')} role="alert" actions={<Button type="primary" onClick={again}>{t('state.retry')}</Button>}>
      {error instanceof Error ? error.message : String(error)}
    </State>
  );
}
