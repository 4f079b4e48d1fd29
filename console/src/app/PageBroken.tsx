// SPDX-License-Identifier: Apache-2.0
/** A page that failed while it was fetched or shown: the frame around it goes on. */
import { Button } from 'antd';
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { State } from './states';

/** A chunk that is gone: the server was updated while the page was open. */
function isOldVersion(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|Importing a module script|preload CSS/i.test(error.message);
}

export function PageBroken({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation('shell');
  const router = useRouter();
  const old = isOldVersion(error);
  const again = () => {
    if (old) {
      location.reload();
      return;
    }
    reset();
    void router.invalidate();
  };
  return (
    <State
      title={old ? t('state.updated') : t('state.broken')}
      role="alert"
      actions={<Button type="primary" onClick={again}>{old ? t('state.reload') : t('state.retry')}</Button>}
    >
      {old ? t('state.updatedText') : error instanceof Error ? error.message : String(error)}
    </State>
  );
}
