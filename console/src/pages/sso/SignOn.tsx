// SPDX-License-Identifier: Apache-2.0
/**
 * Where people can sign in. Providers stand in the server's configuration file, which the console does not
 * write; this page shows what is in force and what must be registered at each provider.
 */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Allowed, Shown, State } from '@/app/states';
import { CopyButton } from '@/parts/CopyButton';
import { HostText } from '@/parts/FileName';
import { Facts, Page, Panel } from '@/parts/Page';
import { Tag } from '@/parts/tags';

function Address({ value }: { value: string }) {
  return (
    <>
      <code>{value}</code>
      <CopyButton text={value} />
    </>
  );
}

function Providers() {
  const { t } = useTranslation('sso');
  const found = useGet('/api/v1/sso/providers');
  return (
    <Page title={t('title')} about={t('about')}>
      <Shown of={found}>
        {({ items, passwords }) => (
          <>
            <Panel title={t('passwords')}>
              <Tag tone={passwords ? 'good' : 'quiet'}>{t(passwords ? 'passwordsOn' : 'passwordsOff')}</Tag>{' '}
              {t(passwords ? 'passwordsOnText' : 'passwordsOffText')}
            </Panel>
            {items.map((p) => (
              <Panel key={p.name} title={<HostText text={p.title} />}>
                <Facts
                  wide
                  of={[
                    [t('name'), <code key="name">{p.name}</code>],
                    [t('callback'), <Address key="callback" value={`${location.origin}/api/v1/sso/${p.name}/callback`} />],
                    [t('signedOut'), <Address key="out" value={`${location.origin}/`} />],
                  ]}
                />
              </Panel>
            ))}
            {items.length === 0 && (
              <Panel title={t('providers')}>
                <State title={t('none')}>{t('noneText')}</State>
              </Panel>
            )}
          </>
        )}
      </Shown>
    </Page>
  );
}

export default function SignOn() {
  return (
    <Allowed to="administer_all">
      <Providers />
    </Allowed>
  );
}
