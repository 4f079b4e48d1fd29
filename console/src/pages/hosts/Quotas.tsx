// SPDX-License-Identifier: Apache-2.0
/** How many servers may have which edition. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { Time } from '@/parts/Time';
import { Status, useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'Quota'>;

export default function Quotas() {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const rows = wholeList(useGet('/api/v1/quotas'));
  const columns: Column<Row>[] = [
    { id: 'edition', title: t('column.edition'), width: 120, grow: 0, render: (row) => word('edition', row.edition), csv: (row) => word('edition', row.edition) },
    { id: 'quotaStatus', title: t('column.quotaStatus'), width: 110, grow: 0, render: (row) => <Status kind="quotaStatus" value={row.quota_status} />, csv: (row) => word('quotaStatus', row.quota_status) },
    { id: 'used', title: t('column.used'), width: 90, grow: 0, render: (row) => row.used, csv: (row) => row.used },
    { id: 'total', title: t('column.total'), width: 90, grow: 0, render: (row) => row.total ?? '-', csv: (row) => row.total },
    { id: 'automatic', title: t('column.automatic'), width: 130, grow: 0, render: (row) => t(row.automatic ? 'yes' : 'no'), csv: (row) => row.automatic },
    { id: 'expires', title: t('column.expires'), width: 160, grow: 0, render: (row) => <Time at={row.expires_at} />, csv: (row) => row.expires_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('quotas.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/hosts', name: t('hosts.title') }, { to: '/host-groups', name: t('hostGroups.title') }, { to: '/quotas', name: t('quotas.title') }]} />}>
      <DataTable id="hosts-quotas" label={t('quotas.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
