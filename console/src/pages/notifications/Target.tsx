// SPDX-License-Identifier: Apache-2.0
/** One target of notifications. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Target() {
  const { t } = useTranslation('notifications');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/targets/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.name} crumbs={[{ to: '/notifications', name: t('notifications.title') }]}>
          <Panel title={t('target.raw')}>
            <JsonView value={thing} label={t('target.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
