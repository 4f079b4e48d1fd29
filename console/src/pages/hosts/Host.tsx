// SPDX-License-Identifier: Apache-2.0
/** One server. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Host() {
  const { t } = useTranslation('hosts');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/hosts/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.host.name} crumbs={[{ to: '/hosts', name: t('hosts.title') }]}>
          <Panel title={t('host.raw')}>
            <JsonView value={thing} label={t('host.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
