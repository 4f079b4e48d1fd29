// SPDX-License-Identifier: Apache-2.0
/** Columns of lists of alarms. */
import { useTranslation } from 'react-i18next';
import type { ReactNode } from 'react';
import type { Schema } from '@/api/types';
import type { Column } from '@/parts/DataTable';
import { Digest, FileName, HostText } from '@/parts/FileName';
import { HostLink, ThingLink } from '@/parts/links';
import { Rating, Severity, Status, Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Row = Schema<'AlarmItem'>;

/** A plain click opens the drawer; with a key held, or from elsewhere, it is the page. */
export function AlarmLink({ row, onOpen, children }: { row: Row; onOpen: (id: string) => void; children: ReactNode }) {
  return (
    <span
      onClickCapture={(e) => {
        if (e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || e.button !== 0) return;
        e.preventDefault();
        e.stopPropagation();
        onOpen(row.id);
      }}
      role="presentation"
    >
      <ThingLink to="/alarms/$id" id={row.id}>
        {children}
      </ThingLink>
    </span>
  );
}

/** How it was dealt with, or that it was not. */
export function Dealt({ row }: { row: Row }) {
  const word = useWord();
  if (!row.handled) return <Status kind="handleStatus" value={row.handle_status} />;
  return <Tag tone="good">{word('verb', row.handled.by)}</Tag>;
}

export function useAlarmColumns(onOpen: (id: string) => void): Column<Row>[] {
  const { t } = useTranslation('alarms');
  const word = useWord();
  return [
    {
      id: 'title',
      title: t('column.title'),
      width: 230,
      grow: 2,
      render: (row) => (
        <AlarmLink row={row} onOpen={onOpen}>
          <HostText text={row.title} />
        </AlarmLink>
      ),
      csv: (row) => row.title,
    },
    { id: 'severity', title: t('column.severity'), width: 84, grow: 0, render: (row) => <Severity value={row.severity} />, csv: (row) => word('severity', row.severity) },
    { id: 'rating', title: t('column.rating'), width: 112, grow: 0, render: (row) => <Rating value={row.rating} confidence={row.confidence} />, csv: (row) => row.confidence },
    { id: 'path', title: t('column.path'), width: 200, grow: 2, render: (row) => <FileName name={row.path} bytes={row.path_b64} cut />, csv: (row) => row.path },
    { id: 'host', title: t('column.host'), width: 130, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'class', title: t('column.class'), width: 110, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    { id: 'status', title: t('column.status'), width: 140, grow: 0, render: (row) => <Dealt row={row} />, csv: (row) => (row.handled ? word('verb', row.handled.by) : word('handleStatus', row.handle_status)) },
    { id: 'last', title: t('column.last'), width: 156, grow: 0, render: (row) => <Time at={row.last} />, csv: (row) => row.last },
    { id: 'count', title: t('column.count'), width: 64, grow: 0, align: 'right', render: (row) => row.count, csv: (row) => row.count },
    { id: 'decision', title: t('column.decision'), width: 120, grow: 0, hidden: true, render: (row) => word('decision', row.decision), csv: (row) => word('decision', row.decision) },
    { id: 'tag', title: t('column.attackTag'), width: 130, grow: 0, hidden: true, render: (row) => word('attackTag', row.attack_tag), csv: (row) => word('attackTag', row.attack_tag) },
    { id: 'technique', title: t('column.technique'), width: 100, grow: 0, hidden: true, render: (row) => row.technique ?? '-', csv: (row) => row.technique },
    { id: 'first', title: t('column.first'), width: 156, grow: 0, hidden: true, render: (row) => <Time at={row.at} />, csv: (row) => row.at },
    { id: 'who', title: t('column.who'), width: 100, hidden: true, render: (row) => <HostText text={row.handled?.who} />, csv: (row) => row.handled?.who },
    { id: 'remark', title: t('column.remark'), width: 160, hidden: true, render: (row) => <HostText text={row.handled?.remark} />, csv: (row) => row.handled?.remark },
    { id: 'container', title: t('column.container'), width: 120, hidden: true, render: (row) => <HostText text={row.container} />, csv: (row) => row.container },
    { id: 'sha256', title: 'SHA-256', width: 160, hidden: true, render: (row) => <Digest value={row.sha256} />, csv: (row) => row.sha256 },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, hidden: true, render: (row) => <HostText text={row.project} />, csv: (row) => row.project },
  ];
}
