// SPDX-License-Identifier: Apache-2.0
/** One order that waits, or waited. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Approval() {
  const { t } = useTranslation('approvals');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/approvals/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.title} crumbs={[{ to: '/approvals', name: t('approvals.title') }]}>
          <Panel title={t('approval.raw')}>
            <JsonView value={thing} label={t('approval.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
