// SPDX-License-Identifier: Apache-2.0
/** The fleet at one glance; every number leads to the list behind it. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useProject } from '@/app/project';
import { Shown } from '@/app/states';
import { Facts, Page, Panel } from '@/parts/Page';
import { Severity } from '@/parts/tags';

export default function Dashboard() {
  const { t } = useTranslation('dashboard');
  const { projectQuery } = useProject();
  const alarms = useGet('/api/v1/alarms/statistics', { query: { ...projectQuery, handle_status: 'unhandled' } });
  return (
    <Page title={t('title')}>
      <Panel title={t('bySeverity')}>
        <Shown of={alarms}>
          {(s) => (
            <>
              <p>{t('unhandled')}: {s.unhandled}</p>
              <Facts of={s.by_severity.map((c) => [c.word, <span key={c.word}><Severity value={c.word} /> {c.count}</span>])} />
            </>
          )}
        </Shown>
      </Panel>
    </Page>
  );
}
