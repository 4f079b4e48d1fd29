// SPDX-License-Identifier: Apache-2.0
/** On which servers and under which names a content is, or was. */
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { FileName } from '@/parts/FileName';
import { HostLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Status, Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Row = Schema<'FilePlace'>;
const idOf = (row: Row) => `${row.host.id} ${row.path_b64 ?? row.path}`;

export function Places({ sha256, project }: { sha256: string; project: string }) {
  const { t } = useTranslation('programs');
  const word = useWord();
  const rows = useList('/api/v1/files/{sha256}/places', { path: { sha256 }, query: { project } }, idOf);
  const yes = (value: boolean) => (value ? t('yes') : t('no'));
  const columns: Column<Row>[] = [
    { id: 'path', title: t('column.path'), width: 280, grow: 3, render: (row) => <FileName name={row.path} bytes={row.path_b64} cut copy />, csv: (row) => row.path },
    { id: 'host', title: t('column.host'), width: 150, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'hostStatus', title: t('column.hostStatus'), width: 110, grow: 0, render: (row) => <Status kind="hostStatus" value={row.host.status} />, csv: (row) => word('hostStatus', row.host.status) },
    {
      id: 'now',
      title: t('column.now'),
      width: 110,
      grow: 0,
      render: (row) => (row.gone ? <Tag tone="quiet">{t('place.gone')}</Tag> : <Tag tone="low">{t('place.there')}</Tag>),
      csv: (row) => (row.gone ? t('place.gone') : t('place.there')),
    },
    { id: 'package', title: t('column.package'), width: 130, grow: 0, render: (row) => yes(row.packaged), csv: (row) => yes(row.packaged) },
    { id: 'first', title: t('column.first'), width: 160, grow: 0, render: (row) => <Time at={row.first_seen_at} />, csv: (row) => row.first_seen_at },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => <Time at={row.last_seen_at} />, csv: (row) => row.last_seen_at },
  ];
  return (
    <Panel title={t('place.title')} flush>
      <DataTable id="program-places" label={t('place.title')} rows={rows} idOf={idOf} columns={columns} height={Math.min(380, Math.max(180, 90 + 34 * rows.rows.length))} empty={t('place.none')} />
    </Panel>
  );
}
