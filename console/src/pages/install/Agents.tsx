// SPDX-License-Identifier: Apache-2.0
/** Tokens with which servers enrol. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'EnrolmentToken'>;

export default function Agents() {
  const { t } = useTranslation('install');
  const rows = wholeList(useGet('/api/v1/enrolment-tokens'));
  const columns: Column<Row>[] = [
    { id: 'note', title: t('column.note'), width: 200, render: (row) => <HostText text={row.note} />, csv: (row) => row.note },
    { id: 'uses', title: t('column.uses'), width: 100, grow: 0, render: (row) => row.uses_left ?? '∞', csv: (row) => row.uses_left },
    { id: 'by', title: t('column.by'), width: 130, render: (row) => <HostText text={row.created_by} />, csv: (row) => row.created_by },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
    { id: 'expires', title: t('column.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('agents.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/install/agents', name: t('agents.title') }, { to: '/install/security', name: t('security.title') }, { to: '/install/web-shell-paths', name: t('webShellPaths.title') }, { to: '/install/common', name: t('commonSettings.title') }]} />}>
      <DataTable id="install-agents" label={t('agents.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
