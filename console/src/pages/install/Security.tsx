// SPDX-License-Identifier: Apache-2.0
/** The switches of a project: isolate and kill, cloud scan, high detection. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'Switch'>;

export default function Security() {
  const { t } = useTranslation('install');
  const word = useWord();
  const { projectQuery } = useProject();
  const rows = wholeList(useGet('/api/v1/switches', { query: projectQuery }));
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 260, grow: 0, render: (row) => word('switch', row.name), csv: (row) => word('switch', row.name) },
    { id: 'on', title: t('column.on'), width: 90, grow: 0, render: (row) => t(row.on ? 'on' : 'off'), csv: (row) => row.on },
    { id: 'setBy', title: t('column.setBy'), width: 130, render: (row) => <HostText text={row.set_by} />, csv: (row) => row.set_by },
    { id: 'setAt', title: t('column.setAt'), width: 160, grow: 0, render: (row) => <Time at={row.set_at} />, csv: (row) => row.set_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('security.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/install/agents', name: t('agents.title') }, { to: '/install/security', name: t('security.title') }, { to: '/install/web-shell-paths', name: t('webShellPaths.title') }, { to: '/install/common', name: t('commonSettings.title') }]} />}>
      <DataTable id="install-security" label={t('security.title')} rows={rows} idOf={(row) => `${row.project} ${row.name}`} columns={columns} />
    </Page>
  );
}
