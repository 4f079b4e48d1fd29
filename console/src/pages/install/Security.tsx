// SPDX-License-Identifier: Apache-2.0
/** Isolation and killing of malicious programs: the switches of a project, and what they mean. */
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown, State } from '@/app/states';
import { Page, Panel } from '@/parts/Page';
import { ProjectChoice, useOneProject, useProjects } from '@/parts/projects';
import { CloudConsent } from './CloudConsent';
import { EditionsTable } from './EditionsTable';
import { RecoveryKeyPanel } from './RecoveryKeyPanel';
import { RemindRow } from './RemindRow';
import { SwitchRow } from './SwitchRow';
import { isKnownSwitch } from './switches';
import { InstallTabs } from './tabs';
import './security.css';

function Switches({ project }: { project: string }) {
  const { t: own } = useTranslation('security');
  const found = useGet('/api/v1/switches', { query: { project } });
  return (
    <Panel title={own('title')}>
      <Shown of={found}>
        {({ items }) =>
          items.filter(isKnownSwitch).map((row) => (
            <Fragment key={row.name}>
              <SwitchRow row={row} />
              {row.name === 'isolate_and_kill' && <RemindRow key={project} project={project} />}
            </Fragment>
          ))
        }
      </Shown>
    </Panel>
  );
}

export default function Security() {
  const { t } = useTranslation('install');
  const { t: own } = useTranslation('security');
  const project = useOneProject();
  const { loading } = useProjects();
  return (
    <Page
      title={t('security.title')}
      actions={<ProjectChoice label={own('project')} value={project} />}
      tabs={<InstallTabs />}
    >
      {project ? (
        <>
          <Switches project={project} />
          <CloudConsent key={project} project={project} />
          <EditionsTable />
          <RecoveryKeyPanel />
        </>
      ) : (
        !loading && <State title={own('noProject')} />
      )}
    </Page>
  );
}
