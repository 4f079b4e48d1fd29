// SPDX-License-Identifier: Apache-2.0
/** Files that servers sent for the deep scan. */
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { Digest, HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { HostLink } from '@/parts/links';
import { sizeText } from '@/parts/numbers';
import { Status, useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'Sample'>;

export default function Samples() {
  const { t, i18n } = useTranslation('programs');
  const word = useWord();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/samples', { query: projectQuery }, (row) => `${row.project} ${row.sha256}`);
  const columns: Column<Row>[] = [
    { id: 'sha256', title: t('column.sha256'), width: 160, grow: 0, render: (row) => <Digest value={row.sha256} />, csv: (row) => row.sha256 },
    { id: 'kind', title: t('column.kind'), width: 120, grow: 0, render: (row) => word('fileKind', row.kind), csv: (row) => word('fileKind', row.kind) },
    { id: 'state', title: t('column.state'), width: 110, grow: 0, render: (row) => <Status kind="sampleState" value={row.state} />, csv: (row) => word('sampleState', row.state) },
    { id: 'size', title: t('column.size'), width: 90, grow: 0, render: (row) => sizeText(row.size, i18n.language), csv: (row) => row.size },
    { id: 'host', title: t('column.host'), width: 150, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'stored', title: t('column.stored'), width: 160, grow: 0, render: (row) => <Time at={row.stored_at} />, csv: (row) => row.stored_at },
    { id: 'until', title: t('column.until'), width: 160, grow: 0, render: (row) => <Time at={row.kept_until} />, csv: (row) => row.kept_until },
    { id: 'reason', title: t('column.reason'), width: 160, render: (row) => <HostText text={row.reason} />, csv: (row) => row.reason },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('samples.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/programs', name: t('programs.title') }, { to: '/samples', name: t('samples.title') }, { to: '/deep-scans', name: t('deepScans.title') }]} />}>
      <DataTable id="programs-samples" label={t('samples.title')} rows={rows} idOf={(row) => `${row.project} ${row.sha256}`} columns={columns} />
    </Page>
  );
}
