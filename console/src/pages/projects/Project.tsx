// SPDX-License-Identifier: Apache-2.0
/** What a project asks of its people. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Project() {
  const { t } = useTranslation('projects');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/projects/{project}/rules', { path: { project: id } });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={id} crumbs={[{ to: '/projects', name: t('projects.title') }]}>
          <Panel title={t('project.raw')}>
            <JsonView value={thing} label={t('project.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
