// SPDX-License-Identifier: Apache-2.0
/** One user. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function User() {
  const { t } = useTranslation('users');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/users/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.name} crumbs={[{ to: '/users', name: t('users.title') }]}>
          <Panel title={t('user.raw')}>
            <JsonView value={thing} label={t('user.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
