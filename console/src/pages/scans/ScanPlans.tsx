// SPDX-License-Identifier: Apache-2.0
/** Plans of scans. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'ScanPolicy'>;

export default function ScanPlans() {
  const { t } = useTranslation('scans');
  const word = useWord();
  const rows = wholeList(useGet('/api/v1/scan-policies'));
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 200, render: (row) => <HostText text={row.name} />, csv: (row) => row.name },
    { id: 'kind', title: t('column.kind'), width: 120, grow: 0, render: (row) => word('scanKind', row.settings.kind), csv: (row) => word('scanKind', row.settings.kind) },
    { id: 'next', title: t('column.next'), width: 160, grow: 0, render: (row) => <Time at={row.next_at} />, csv: (row) => row.next_at },
    { id: 'updatedBy', title: t('column.updatedBy'), width: 130, render: (row) => <HostText text={row.updated_by} />, csv: (row) => row.updated_by },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, render: (row) => <Time at={row.updated_at} />, csv: (row) => row.updated_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('scanPlans.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/scans', name: t('scans.title') }, { to: '/scans/plans', name: t('scanPlans.title') }]} />}>
      <DataTable id="scans-scanPlans" label={t('scanPlans.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
