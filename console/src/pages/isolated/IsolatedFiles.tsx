// SPDX-License-Identifier: Apache-2.0
/** Files in the vaults of the servers. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { Digest, FileName, HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { HostLink } from '@/parts/links';
import { sizeText } from '@/parts/numbers';
import { Status, useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'IsolatedItem'>;

export default function IsolatedFiles() {
  const { t, i18n } = useTranslation('isolated');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/isolated-files', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    { id: 'path', title: t('column.path'), width: 260, grow: 2, render: (row) => <FileName name={row.path} bytes={row.path_b64} cut />, csv: (row) => row.path },
    { id: 'host', title: t('column.host'), width: 150, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'status', title: t('column.status'), width: 130, grow: 0, render: (row) => <Status kind="isolatedStatus" value={row.status} />, csv: (row) => word('isolatedStatus', row.status) },
    { id: 'class', title: t('column.class'), width: 120, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    { id: 'confidence', title: t('column.confidence'), width: 90, grow: 0, render: (row) => row.confidence, csv: (row) => row.confidence },
    { id: 'size', title: t('column.size'), width: 90, grow: 0, render: (row) => sizeText(row.size, i18n.language), csv: (row) => row.size },
    { id: 'sha256', title: t('column.sha256'), width: 160, grow: 0, render: (row) => <Digest value={row.sha256} />, csv: (row) => row.sha256 },
    { id: 'isolatedAt', title: t('column.isolatedAt'), width: 160, grow: 0, render: (row) => <Time at={row.isolated_at} />, csv: (row) => row.isolated_at },
    { id: 'reason', title: t('column.reason'), width: 160, render: (row) => <HostText text={row.reason} />, csv: (row) => row.reason },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('isolatedFiles.title')}>
      <DataTable id="isolated-isolatedFiles" label={t('isolatedFiles.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/isolated/$id', params: { id: row.id } })} />
    </Page>
  );
}
