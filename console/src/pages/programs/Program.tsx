// SPDX-License-Identifier: Apache-2.0
/** One content: all that is known of it. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useProject } from '@/app/project';
import { Shown } from '@/app/states';
import { JsonView } from '@/parts/JsonView';
import { Page, Panel } from '@/parts/Page';

export default function Program() {
  const { t } = useTranslation('programs');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const { projectQuery } = useProject();
  const found = useGet('/api/v1/files/{sha256}', { path: { sha256: id }, query: projectQuery });
  return (
    <Shown of={found}>
      {(thing) => (
        <Page title={thing.file.sha256} crumbs={[{ to: '/programs', name: t('programs.title') }]}>
          <Panel title={t('program.raw')}>
            <JsonView value={thing} label={t('program.raw')} />
          </Panel>
        </Page>
      )}
    </Shown>
  );
}
