// SPDX-License-Identifier: Apache-2.0
/** One policy group. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function PolicyGroup() {
  const { t } = useTranslation('policies');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/policy-groups/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.name} crumbs={[{ to: '/policies', name: t('policyGroups.title') }]}>
          <Panel title={t('policyGroup.raw')}>
            <JsonView value={thing} label={t('policyGroup.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
