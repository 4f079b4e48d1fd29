// SPDX-License-Identifier: Apache-2.0
/** Rules that only alarm. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'DisarmedRule'>;

export default function CommonSettings() {
  const { t } = useTranslation('install');
  const { projectQuery } = useProject();
  const rows = wholeList(useGet('/api/v1/disarmed-rules', { query: projectQuery }));
  const columns: Column<Row>[] = [
    { id: 'rule', title: t('column.rule'), width: 220, render: (row) => <HostText text={row.rule} />, csv: (row) => row.rule },
    { id: 'reason', title: t('column.reason'), width: 240, render: (row) => <HostText text={row.reason} />, csv: (row) => row.reason },
    { id: 'disarmedBy', title: t('column.disarmedBy'), width: 130, render: (row) => <HostText text={row.disarmed_by} />, csv: (row) => row.disarmed_by },
    { id: 'disarmed', title: t('column.disarmed'), width: 160, grow: 0, render: (row) => <Time at={row.disarmed_at} />, csv: (row) => row.disarmed_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('commonSettings.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/install/agents', name: t('agents.title') }, { to: '/install/security', name: t('security.title') }, { to: '/install/web-shell-paths', name: t('webShellPaths.title') }, { to: '/install/common', name: t('commonSettings.title') }]} />}>
      <DataTable id="install-commonSettings" label={t('commonSettings.title')} rows={rows} idOf={(row) => `${row.project} ${row.rule}`} columns={columns} />
    </Page>
  );
}
