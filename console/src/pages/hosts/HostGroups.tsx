// SPDX-License-Identifier: Apache-2.0
/** Groups of servers and the policy group of each. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'HostGroup'>;

export default function HostGroups() {
  const { t } = useTranslation('hosts');
  const rows = wholeList(useGet('/api/v1/host-groups'));
  const columns: Column<Row>[] = [
    { id: 'groupName', title: t('column.groupName'), width: 160, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'policy', title: t('column.policy'), width: 260, render: (row) => row.policy_group ?? '-', csv: (row) => row.policy_group },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('hostGroups.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/hosts', name: t('hosts.title') }, { to: '/host-groups', name: t('hostGroups.title') }, { to: '/quotas', name: t('quotas.title') }]} />}>
      <DataTable id="hosts-hostGroups" label={t('hostGroups.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
