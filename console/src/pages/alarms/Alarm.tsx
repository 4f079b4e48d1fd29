// SPDX-License-Identifier: Apache-2.0
/** One alarm. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Alarm() {
  const { t } = useTranslation('alarms');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/alarms/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.summary.title} crumbs={[{ to: '/alarms', name: t('title') }]}>
          <Panel title={t('alarm.raw')}>
            <JsonView value={thing} label={t('alarm.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
