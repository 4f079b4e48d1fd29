// SPDX-License-Identifier: Apache-2.0
/** One isolated file. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function IsolatedFile() {
  const { t } = useTranslation('isolated');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/isolated-files/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.summary.path} crumbs={[{ to: '/isolated', name: t('isolatedFiles.title') }]}>
          <Panel title={t('isolatedFile.raw')}>
            <JsonView value={thing} label={t('isolatedFile.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
