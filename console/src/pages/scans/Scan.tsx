// SPDX-License-Identifier: Apache-2.0
/** One scan. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Scan() {
  const { t } = useTranslation('scans');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/scan-tasks/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.task.name} crumbs={[{ to: '/scans', name: t('scans.title') }]}>
          <Panel title={t('scan.raw')}>
            <JsonView value={thing} label={t('scan.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
