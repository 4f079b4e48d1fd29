// SPDX-License-Identifier: Apache-2.0
/** Malicious programs: alarms about them, and what was done. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { FileName, HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { HostLink, ThingLink } from '@/parts/links';
import { Rating, Severity, Status, useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'AlarmItem'>;

export default function Events() {
  const { t } = useTranslation('events');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/alarms', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    { id: 'title', title: t('column.title'), width: 240, grow: 2, render: (row) => <ThingLink to="/alarms/$id" id={row.id}><HostText text={row.title} /></ThingLink>, csv: (row) => row.title },
    { id: 'severity', title: t('column.severity'), width: 90, grow: 0, render: (row) => <Severity value={row.severity} />, csv: (row) => word('severity', row.severity) },
    { id: 'rating', title: t('column.rating'), width: 110, grow: 0, render: (row) => <Rating value={row.rating} confidence={row.confidence} />, csv: (row) => row.confidence },
    { id: 'path', title: t('column.path'), width: 240, grow: 2, render: (row) => <FileName name={row.path} bytes={row.path_b64} cut />, csv: (row) => row.path },
    { id: 'host', title: t('column.host'), width: 150, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'status', title: t('column.status'), width: 110, grow: 0, render: (row) => <Status kind="handleStatus" value={row.handle_status} />, csv: (row) => word('handleStatus', row.handle_status) },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => <Time at={row.last} />, csv: (row) => row.last },
  ];
  return (
    <Page title={t('events.title')}>
      <DataTable id="events-events" label={t('events.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/alarms/$id', params: { id: row.id } })} />
    </Page>
  );
}
