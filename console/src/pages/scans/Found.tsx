// SPDX-License-Identifier: Apache-2.0
/** What a scan found: alarms as all others, handled as all others. */
import { useNavigate } from '@tanstack/react-router';
import { Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { useList, type Rows } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { FileName, HostText } from '@/parts/FileName';
import { HostLink, ListLink, ThingLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Rating, Severity, Status, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Row = Schema<'AlarmItem'>;
type VerbWord = Schema<'Verb'>;

/** Those that make sense for several; the alarm's own page has all. */
const VERBS: readonly VerbWord[] = ['isolate_and_kill', 'mark_as_handled', 'ignore'];
/** The last ones come after the host's last word. */
const AFTER_MS = 120_000;

export function Found({ of, expected }: { of: Schema<'ScanTask'>; expected: number }) {
  const { t } = useTranslation('scans');
  const word = useWord();
  const navigate = useNavigate();
  const can = useCan();
  const since = of.created_at;
  const until = of.finished_at ? new Date(Date.parse(of.finished_at) + AFTER_MS).toISOString() : undefined;
  const all = useList('/api/v1/alarms', { query: { project: of.project, since, ...(until ? { until } : {}) } }, (row) => row.id);
  // Sensors raise alarms meanwhile, too: those that scans found are meant.
  const some = all.rows.filter((row) => row.origin === 'scan');
  const rows: Rows<Row> = { ...all, rows: some, total: some.length, totalIsCapped: all.hasMore };
  const columns: Column<Row>[] = [
    {
      id: 'title',
      title: t('column.alarm'),
      width: 200,
      grow: 2,
      render: (row) => (
        <ThingLink to="/alarms/$id" id={row.id}>
          <HostText text={row.title} />
        </ThingLink>
      ),
      csv: (row) => row.title,
    },
    { id: 'severity', title: t('column.severity'), width: 90, grow: 0, render: (row) => <Severity value={row.severity} />, csv: (row) => word('severity', row.severity) },
    { id: 'rating', title: t('column.rating'), width: 110, grow: 0, render: (row) => <Rating value={row.rating} confidence={row.confidence} />, csv: (row) => row.confidence },
    { id: 'path', title: t('column.path'), width: 220, grow: 2, render: (row) => <FileName name={row.path} bytes={row.path_b64} cut />, csv: (row) => row.path },
    { id: 'host', title: t('column.host'), width: 130, render: (row) => <HostLink host={row.host} />, csv: (row) => row.host.name },
    { id: 'status', title: t('column.status'), width: 100, grow: 0, render: (row) => <Status kind="handleStatus" value={row.handle_status} />, csv: (row) => word('handleStatus', row.handle_status) },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => <Time at={row.last} />, csv: (row) => row.last },
  ];
  if (expected === 0 && some.length === 0) return null;
  return (
    <Panel
      flush
      title={t('found.title')}
      extra={
        <ListLink to="/alarms" search={{ since, until }}>
          {t('found.all')}
        </ListLink>
      }
    >
      <DataTable
        id="scan-found"
        label={t('found.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        height={Math.min(460, Math.max(200, 90 + 34 * some.length))}
        empty={t('found.none')}
        onOpen={(row) => void navigate({ to: '/alarms/$id', params: { id: row.id } })}
        batch={can('operate', of.project) ? (chosen, clear) => VERBS.map((verb) => <Handle key={verb} verb={verb} chosen={chosen} onDone={clear} />) : undefined}
      />
    </Panel>
  );
}

function Handle({ verb, chosen, onDone }: { verb: VerbWord; chosen: readonly Row[]; onDone: () => void }) {
  const { t } = useTranslation('scans');
  const word = useWord();
  const { ordered } = useFeedback();
  const [remark, setRemark] = useState('');
  const handle = useSend('post', '/api/v1/alarms/handle', { changes: ['/api/v1/alarms', '/api/v1/isolated-files', '/api/v1/commands'] });
  const some = chosen.filter((row) => row.operate_accept_list.includes(verb));
  const label = word('verb', verb);
  return (
    <ConfirmAction
      label={label}
      button={{ size: 'small', disabled: some.length === 0, title: some.length === 0 ? t('found.cannot') : undefined }}
      danger={verb === 'isolate_and_kill'}
      title={t('found.handle', { verb: label, count: some.length })}
      text={verb === 'isolate_and_kill' ? t('found.isolateText') : undefined}
      names={some.map((row) => `${row.host.name}: ${row.path ?? row.title}`)}
      verb={label}
      action={async () => {
        ordered(await handle.mutateAsync({ body: { alarms: some.map((row) => row.id), operate_type: verb, remark: remark.trim() } }), label);
        setRemark('');
        onDone();
      }}
    >
      <Input aria-label={t('found.remark')} placeholder={t('found.remark')} maxLength={512} value={remark} onChange={(e) => setRemark(e.target.value)} />
    </ConfirmAction>
  );
}
