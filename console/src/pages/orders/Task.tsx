// SPDX-License-Identifier: Apache-2.0
/** Orders that were given at once. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Task() {
  const { t } = useTranslation('orders');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/tasks/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.verb} crumbs={[{ to: '/orders', name: t('orders.title') }]}>
          <Panel title={t('task.raw')}>
            <JsonView value={thing} label={t('task.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
