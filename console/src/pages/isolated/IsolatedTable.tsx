// SPDX-License-Identifier: Apache-2.0
/** The table of isolated files, with what can be done with several: for its page and for other pages' drawers. */
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Rows } from '@/api/lists';
import { useCan } from '@/app/permissions';
import { DataTable, type Column } from '@/parts/DataTable';
import { Digest, FileName, HostText } from '@/parts/FileName';
import { HostLink, ThingLink } from '@/parts/links';
import { sizeText } from '@/parts/numbers';
import { Status, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { DeleteDialog } from './DeleteDialog';
import { RestoreDialog } from './RestoreDialog';
import { heldOf, type Item } from './words';

interface Props {
  rows: Rows<Item>;
  filtered?: boolean;
  onClearFilters?: () => void;
  height?: number;
}

export function IsolatedTable({ rows, filtered, onClearFilters, height }: Props) {
  const { t, i18n } = useTranslation('isolated');
  const word = useWord();
  const navigate = useNavigate();
  const can = useCan();
  const columns: Column<Item>[] = [
    {
      id: 'path',
      title: t('column.path'),
      width: 240,
      grow: 3,
      render: (row) => (
        <ThingLink to="/isolated/$id" id={row.id}>
          <FileName name={row.path} bytes={row.path_b64} cut />
        </ThingLink>
      ),
      csv: (row) => row.path,
    },
    { id: 'host', title: t('column.host'), width: 130, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'status', title: t('column.status'), width: 130, grow: 0, render: (row) => <Status kind="isolatedStatus" value={row.status} />, csv: (row) => word('isolatedStatus', row.status) },
    { id: 'reason', title: t('column.reason'), width: 150, grow: 1, render: (row) => <span title={row.reason}><HostText text={row.reason} /></span>, csv: (row) => row.reason },
    { id: 'class', title: t('column.class'), width: 130, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    { id: 'confidence', title: t('column.confidence'), width: 96, grow: 0, align: 'right', render: (row) => row.confidence, csv: (row) => row.confidence },
    {
      id: 'alarm',
      title: t('column.alarm'),
      width: 190,
      render: (row) =>
        row.alarm ? (
          <ThingLink to="/alarms/$id" id={row.alarm}>
            <HostText text={row.alarm_title || row.alarm} />
          </ThingLink>
        ) : (
          '-'
        ),
      csv: (row) => row.alarm_title,
    },
    { id: 'source', title: t('column.source'), width: 100, grow: 0, render: (row) => word('isolatedSource', row.source), csv: (row) => word('isolatedSource', row.source) },
    { id: 'isolatedAt', title: t('column.isolatedAt'), width: 160, grow: 0, render: (row) => <Time at={row.isolated_at} />, csv: (row) => row.isolated_at },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.updated_at} />, csv: (row) => row.updated_at },
    { id: 'size', title: t('column.size'), width: 90, grow: 0, align: 'right', hidden: true, render: (row) => sizeText(row.size, i18n.language), csv: (row) => row.size },
    { id: 'family', title: t('column.family'), width: 140, hidden: true, render: (row) => <HostText text={row.family} />, csv: (row) => row.family },
    { id: 'sha256', title: t('column.sha256'), width: 150, grow: 0, hidden: true, render: (row) => <Digest value={row.sha256} />, csv: (row) => row.sha256 },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, hidden: true, render: (row) => <HostText text={row.project} />, csv: (row) => row.project },
  ];
  return (
    <DataTable
      id="isolated"
      label={t('title')}
      rows={rows}
      idOf={(row) => row.id}
      columns={columns}
      height={height}
      filtered={filtered}
      onClearFilters={onClearFilters}
      empty={t('empty')}
      onOpen={(row) => void navigate({ to: '/isolated/$id', params: { id: row.id } })}
      batch={can('operate') ? (chosen, clear) => <Batch chosen={chosen} clear={clear} /> : undefined}
    />
  );
}

function Batch({ chosen, clear }: { chosen: Item[]; clear: () => void }) {
  const { t } = useTranslation('isolated');
  const can = useCan();
  const [open, setOpen] = useState<'restore' | 'delete' | null>(null);
  const held = heldOf(chosen.filter((row) => can('operate', row.project)));
  const rest = chosen.length - held.length;
  const none = held.length === 0 ? t('noneHeld') : undefined;
  const close = () => setOpen(null);
  return (
    <>
      <Button size="small" disabled={Boolean(none)} title={none} onClick={() => setOpen('restore')}>
        {t('restore.button')}
      </Button>
      <Button size="small" danger disabled={Boolean(none)} title={none} onClick={() => setOpen('delete')}>
        {t('delete.button')}
      </Button>
      <RestoreDialog open={open === 'restore'} onClose={close} files={held} left={rest} onDone={clear} />
      <DeleteDialog open={open === 'delete'} onClose={close} files={held} left={rest} onDone={clear} />
    </>
  );
}
