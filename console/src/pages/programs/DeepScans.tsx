// SPDX-License-Identifier: Apache-2.0
/** What the deep scan looked at. */
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { Digest, HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { Status, useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'DeepScan'>;

export default function DeepScans() {
  const { t } = useTranslation('programs');
  const word = useWord();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/deep-scans', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    { id: 'sha256', title: t('column.sha256'), width: 160, grow: 0, render: (row) => <Digest value={row.sha256} />, csv: (row) => row.sha256 },
    { id: 'state', title: t('column.state'), width: 110, grow: 0, render: (row) => <Status kind="deepScanState" value={row.state} />, csv: (row) => word('deepScanState', row.state) },
    { id: 'standing', title: t('column.standing'), width: 110, grow: 0, render: (row) => <Status kind="standing" value={row.standing} />, csv: (row) => word('standing', row.standing) },
    { id: 'queued', title: t('column.queued'), width: 160, grow: 0, render: (row) => <Time at={row.queued_at} />, csv: (row) => row.queued_at },
    { id: 'finished', title: t('column.finished'), width: 160, grow: 0, render: (row) => <Time at={row.finished_at} />, csv: (row) => row.finished_at },
    { id: 'tries', title: t('column.tries'), width: 90, grow: 0, render: (row) => row.tries, csv: (row) => row.tries },
    { id: 'reason', title: t('column.reason'), width: 160, render: (row) => <HostText text={row.reason} />, csv: (row) => row.reason },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('deepScans.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/programs', name: t('programs.title') }, { to: '/samples', name: t('samples.title') }, { to: '/deep-scans', name: t('deepScans.title') }]} />}>
      <DataTable id="programs-deepScans" label={t('deepScans.title')} rows={rows} idOf={(row) => row.id} columns={columns} />
    </Page>
  );
}
