// SPDX-License-Identifier: Apache-2.0
/** One whitelist entry. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function WhitelistEntry() {
  const { t } = useTranslation('whitelist');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/whitelist/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.value} crumbs={[{ to: '/whitelist', name: t('whitelist.title') }]}>
          <Panel title={t('whitelistEntry.raw')}>
            <JsonView value={thing} label={t('whitelistEntry.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
