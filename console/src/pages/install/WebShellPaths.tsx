// SPDX-License-Identifier: Apache-2.0
/** Where web sites lie, by policy group. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'PolicyGroup'>;

export default function WebShellPaths() {
  const { t } = useTranslation('install');
  const rows = wholeList(useGet('/api/v1/policy-groups'));
  const columns: Column<Row>[] = [
    { id: 'group', title: t('column.group'), width: 200, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'description', title: t('column.description'), width: 240, render: (row) => <HostText text={row.description} />, csv: (row) => row.description },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('webShellPaths.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/install/agents', name: t('agents.title') }, { to: '/install/security', name: t('security.title') }, { to: '/install/web-shell-paths', name: t('webShellPaths.title') }, { to: '/install/common', name: t('commonSettings.title') }]} />}>
      <DataTable id="install-webShellPaths" label={t('webShellPaths.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
