// SPDX-License-Identifier: Apache-2.0
/** Signing in: by password and second factor, or at a provider. Afterwards one is where one wanted to go. */
import { Alert, Button } from 'antd';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { safeReturn, useWho } from '@/app/session';
import { Shown } from '@/app/states';
import { Door } from './Door';
import { PasswordForm } from './PasswordForm';

export default function SignIn() {
  const { t } = useTranslation('signin');
  const search = useSearch({ strict: false }) as { return_to?: string };
  // What was asked for first: while the next page comes this one is still here, and the address is the new one's.
  const [back] = useState(() => safeReturn(search.return_to));
  const { history } = useRouter();
  const client = useQueryClient();
  const who = useWho();
  const providers = useGet('/api/v1/sso/providers');
  const signedIn = Boolean(who.data);

  useEffect(() => {
    document.title = `${t('title')} - Lazaret`;
  }, [t]);
  useEffect(() => {
    // The whole address, as the browser shows it: with /ui and all filters.
    if (signedIn) history.replace(back);
  }, [signedIn, history, back]);

  return (
    <Door title={t('title')} sub={t('sub')}>
      <Shown of={providers}>
        {(found) => (
          <>
            {found.passwords ? (
              // Nothing that the user before has seen is left for the next one.
              <PasswordForm onDone={() => client.resetQueries()} />
            ) : (
              found.items.length > 0 && <Alert type="info" title={t('onlyProviders')} className="door-error" />
            )}
            {found.passwords && found.items.length > 0 && <div className="door-or">{t('or')}</div>}
            {found.items.map((p) => (
              <Button key={p.name} block href={`${p.start}?return_to=${encodeURIComponent(back)}`} className="door-provider">
                {t('with', { name: p.title })}
              </Button>
            ))}
          </>
        )}
      </Shown>
    </Door>
  );
}
