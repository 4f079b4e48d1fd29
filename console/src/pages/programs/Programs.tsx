// SPDX-License-Identifier: Apache-2.0
/** Programs and scripts of the fleet by their content. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { Digest } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { sizeText } from '@/parts/numbers';
import { Status, useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'FileItem'>;

export default function Programs() {
  const { t, i18n } = useTranslation('programs');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/files', { query: projectQuery }, (row) => row.sha256);
  const columns: Column<Row>[] = [
    { id: 'sha256', title: t('column.sha256'), width: 160, grow: 0, render: (row) => <Digest value={row.sha256} />, csv: (row) => row.sha256 },
    { id: 'kind', title: t('column.kind'), width: 120, grow: 0, render: (row) => word('fileKind', row.kind), csv: (row) => word('fileKind', row.kind) },
    { id: 'standing', title: t('column.standing'), width: 110, grow: 0, render: (row) => <Status kind="standing" value={row.standing} />, csv: (row) => word('standing', row.standing) },
    { id: 'size', title: t('column.size'), width: 90, grow: 0, render: (row) => sizeText(row.size, i18n.language), csv: (row) => row.size },
    { id: 'hosts', title: t('column.hosts'), width: 90, grow: 0, render: (row) => row.hosts, csv: (row) => row.hosts },
    { id: 'first', title: t('column.first'), width: 160, grow: 0, render: (row) => <Time at={row.first_seen_at} />, csv: (row) => row.first_seen_at },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => <Time at={row.last_seen_at} />, csv: (row) => row.last_seen_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('programs.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/programs', name: t('programs.title') }, { to: '/samples', name: t('samples.title') }, { to: '/deep-scans', name: t('deepScans.title') }]} />}>
      <DataTable id="programs-programs" label={t('programs.title')} rows={rows} idOf={(row) => row.sha256} columns={columns} onOpen={(row) => void navigate({ to: '/programs/$id', params: { id: row.sha256 } })} />
    </Page>
  );
}
