// SPDX-License-Identifier: Apache-2.0
/** Lists of one server: alarms, isolated files, scans, files by content, orders. Filters are in the URL, as everywhere. */
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { Digest, FileName, HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ThingLink } from '@/parts/links';
import { numberText, sizeText } from '@/parts/numbers';
import { TaskLink } from '@/parts/orders';
import { Rating, Severity, Status, Tag, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

const ISOLATED = ['isolating', 'isolated', 'isolated_in_place', 'restoring', 'restored', 'deleting', 'deleted', 'isolate_failed', 'restore_failed', 'delete_failed'];
const STATES = ['pending', 'sent', 'done', 'partial', 'refused', 'failed', 'expired', 'cancelled'];
const VERBS = ['handle', 'restore', 'delete', 'verify', 'preview', 'scan', 'scan_pause', 'scan_resume', 'self_test', 'thaw', 'collect'];

/** Filters whose words follow the language. */
function useFields(make: (t: (key: string) => string, options: ReturnType<typeof useOptions>) => FilterField[]): FilterField[] {
  const { t } = useTranslation('hosts');
  const options = useOptions();
  // New words mean a new `t`.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => make((key) => t(key), options), [t]);
}

export function HostAlarms({ id }: { id: string }) {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const navigate = useNavigate();
  const fields = useFields((tt, options) => [
    { name: 'text', kind: 'search', label: tt('list.titleOrPath') },
    { name: 'severity', kind: 'many', label: tt('list.severity'), options: options('severity', ['critical', 'high', 'medium', 'low']) },
    { name: 'rating', kind: 'many', label: tt('list.rating'), options: options('rating', ['high', 'medium', 'low']) },
    { name: 'handle_status', kind: 'one', label: tt('list.status'), options: options('handleStatus', ['unhandled', 'handled']) },
    { name: 'period', kind: 'period', label: tt('list.period'), days: true },
  ]);
  const filters = useFilters<QueryOf<'/api/v1/alarms'>>(fields);
  const rows = useList('/api/v1/alarms', { query: { ...filters.query, host: id } }, (r) => r.id);
  const columns: Column<Schema<'AlarmItem'>>[] = [
    { id: 'title', title: t('list.alarm'), width: 220, grow: 2, render: (r) => <ThingLink to="/alarms/$id" id={r.id}><HostText text={r.title} /></ThingLink>, csv: (r) => r.title },
    { id: 'severity', title: t('list.severity'), width: 90, grow: 0, render: (r) => <Severity value={r.severity} />, csv: (r) => word('severity', r.severity) },
    { id: 'rating', title: t('list.rating'), width: 110, grow: 0, render: (r) => <Rating value={r.rating} confidence={r.confidence} />, csv: (r) => r.confidence },
    { id: 'path', title: t('list.path'), width: 260, grow: 2, render: (r) => <FileName name={r.path} bytes={r.path_b64} cut />, csv: (r) => r.path },
    { id: 'class', title: t('list.class'), width: 130, grow: 0, render: (r) => word('class', r.class), csv: (r) => word('class', r.class) },
    { id: 'status', title: t('list.status'), width: 110, grow: 0, render: (r) => <Status kind="handleStatus" value={r.handle_status} />, csv: (r) => word('handleStatus', r.handle_status) },
    { id: 'last', title: t('list.last'), width: 160, grow: 0, render: (r) => <Time at={r.last} />, csv: (r) => r.last },
  ];
  return (
    <>
      <FilterBar id="host-alarms" of={filters} />
      <DataTable id="host-alarms" label={t('host.tab.alarms')} rows={rows} idOf={(r) => r.id} columns={columns} filtered={filters.active > 0} onClearFilters={filters.clear}
        onOpen={(r) => void navigate({ to: '/alarms/$id', params: { id: r.id } })} />
    </>
  );
}

export function HostIsolated({ id }: { id: string }) {
  const { t, i18n } = useTranslation('hosts');
  const word = useWord();
  const navigate = useNavigate();
  const fields = useFields((tt, options) => [
    { name: 'path', kind: 'search', label: tt('list.path') },
    { name: 'status', kind: 'many', label: tt('list.status'), options: options('isolatedStatus', ISOLATED) },
    { name: 'period', kind: 'period', label: tt('list.period'), days: false },
  ]);
  const filters = useFilters<QueryOf<'/api/v1/isolated-files'>>(fields);
  const rows = useList('/api/v1/isolated-files', { query: { ...filters.query, host: id } }, (r) => r.id);
  const columns: Column<Schema<'IsolatedItem'>>[] = [
    { id: 'path', title: t('list.path'), width: 280, grow: 2, render: (r) => <ThingLink to="/isolated/$id" id={r.id}><FileName name={r.path} bytes={r.path_b64} cut /></ThingLink>, csv: (r) => r.path },
    { id: 'status', title: t('list.status'), width: 140, grow: 0, render: (r) => <Status kind="isolatedStatus" value={r.status} />, csv: (r) => word('isolatedStatus', r.status) },
    { id: 'reason', title: t('list.reason'), width: 180, render: (r) => <HostText text={r.reason} />, csv: (r) => r.reason },
    { id: 'class', title: t('list.class'), width: 130, grow: 0, render: (r) => word('class', r.class), csv: (r) => word('class', r.class) },
    { id: 'size', title: t('list.size'), width: 90, grow: 0, align: 'right', render: (r) => sizeText(r.size, i18n.language), csv: (r) => r.size },
    { id: 'sha256', title: 'SHA-256', width: 160, grow: 0, render: (r) => <Digest value={r.sha256} />, csv: (r) => r.sha256 },
    { id: 'isolated', title: t('list.isolatedAt'), width: 160, grow: 0, render: (r) => <Time at={r.isolated_at} />, csv: (r) => r.isolated_at },
  ];
  return (
    <>
      <FilterBar id="host-isolated" of={filters} />
      <DataTable id="host-isolated" label={t('host.tab.isolated')} rows={rows} idOf={(r) => r.id} columns={columns} filtered={filters.active > 0} onClearFilters={filters.clear}
        onOpen={(r) => void navigate({ to: '/isolated/$id', params: { id: r.id } })} />
    </>
  );
}

export function HostFiles({ id }: { id: string }) {
  const { t, i18n } = useTranslation('hosts');
  const word = useWord();
  const navigate = useNavigate();
  const rows = useList('/api/v1/hosts/{id}/files', { path: { id } }, (r) => `${r.sha256} ${r.path_b64 ?? r.path}`);
  const columns: Column<Schema<'HostFile'>>[] = [
    { id: 'path', title: t('list.path'), width: 300, grow: 3, render: (r) => <ThingLink to="/programs/$id" id={r.sha256}><FileName name={r.path} bytes={r.path_b64} cut /></ThingLink>, csv: (r) => r.path },
    { id: 'standing', title: t('list.standing'), width: 130, grow: 0, render: (r) => <span className="cell-stack"><Status kind="standing" value={r.standing} />{r.gone && <Tag tone="quiet">{t('list.gone')}</Tag>}</span>, csv: (r) => word('standing', r.standing) },
    { id: 'class', title: t('list.class'), width: 120, grow: 0, render: (r) => word('class', r.class), csv: (r) => word('class', r.class) },
    { id: 'kind', title: t('list.kind'), width: 110, grow: 0, render: (r) => word('fileKind', r.kind), csv: (r) => word('fileKind', r.kind) },
    { id: 'packaged', title: t('list.packaged'), width: 110, grow: 0, render: (r) => t(r.packaged ? 'yes' : 'no'), csv: (r) => r.packaged },
    { id: 'size', title: t('list.size'), width: 90, grow: 0, align: 'right', render: (r) => sizeText(r.size, i18n.language), csv: (r) => r.size },
    { id: 'sha256', title: 'SHA-256', width: 160, grow: 0, render: (r) => <Digest value={r.sha256} />, csv: (r) => r.sha256 },
    { id: 'first', title: t('list.first'), width: 160, grow: 0, hidden: true, render: (r) => <Time at={r.first_seen_at} />, csv: (r) => r.first_seen_at },
    { id: 'last', title: t('list.last'), width: 160, grow: 0, render: (r) => <Time at={r.last_seen_at} />, csv: (r) => r.last_seen_at },
  ];
  return (
    <DataTable id="host-files" label={t('host.tab.files')} rows={rows} idOf={(r) => `${r.sha256} ${r.path_b64 ?? r.path}`} columns={columns} empty={t('list.noFiles')}
      onOpen={(r) => void navigate({ to: '/programs/$id', params: { id: r.sha256 } })} />
  );
}

type Command = Schema<'Command'>;

export function HostScans({ id }: { id: string }) {
  const { t, i18n } = useTranslation('hosts');
  const word = useWord();
  const rows = useList('/api/v1/commands', { query: { host: id, verb: ['scan'] } }, (r) => r.id);
  const number = (n: number | undefined) => (n === undefined ? '-' : numberText(n, i18n.language));
  const columns: Column<Command>[] = [
    { id: 'created', title: t('list.ordered'), width: 160, grow: 0, render: (r) => (r.task ? <TaskLink id={r.task}><Time at={r.created_at} /></TaskLink> : <Time at={r.created_at} />), csv: (r) => r.created_at },
    { id: 'state', title: t('list.status'), width: 110, grow: 0, render: (r) => <Status kind="commandState" value={r.state} />, csv: (r) => word('commandState', r.state) },
    { id: 'files', title: t('list.scanned'), width: 100, grow: 0, align: 'right', render: (r) => number(r.result?.scan?.files), csv: (r) => r.result?.scan?.files },
    { id: 'bytes', title: t('list.size'), width: 100, grow: 0, align: 'right', render: (r) => (r.result?.scan ? sizeText(r.result.scan.bytes, i18n.language) : '-'), csv: (r) => r.result?.scan?.bytes },
    { id: 'found', title: t('list.found'), width: 90, grow: 0, align: 'right', render: (r) => number(r.result?.scan?.found), csv: (r) => r.result?.scan?.found },
    { id: 'errors', title: t('list.errors'), width: 90, grow: 0, align: 'right', render: (r) => number(r.result?.scan?.errors), csv: (r) => r.result?.scan?.errors },
    { id: 'reason', title: t('list.reason'), width: 200, render: (r) => <HostText text={r.result?.scan?.reason || r.result?.reason} />, csv: (r) => r.result?.scan?.reason || r.result?.reason },
    { id: 'by', title: t('list.by'), width: 130, grow: 0, render: (r) => <HostText text={r.ordered_by} />, csv: (r) => r.ordered_by },
    { id: 'finished', title: t('list.finished'), width: 160, grow: 0, render: (r) => <Time at={r.finished_at} />, csv: (r) => r.finished_at },
  ];
  return <DataTable id="host-scans" label={t('host.tab.scans')} rows={rows} idOf={(r) => r.id} columns={columns} empty={t('list.noScans')} />;
}

export function HostOrders({ id }: { id: string }) {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const can = useCan();
  const { done } = useFeedback();
  const cancel = useSend('post', '/api/v1/commands/{id}/cancel', { changes: ['/api/v1/commands', '/api/v1/tasks'] });
  const fields = useFields((tt, options) => [
    { name: 'verb', kind: 'many', label: tt('list.verb'), options: options('orderVerb', VERBS) },
    { name: 'state', kind: 'many', label: tt('list.status'), options: options('commandState', STATES) },
  ]);
  const filters = useFilters<QueryOf<'/api/v1/commands'>>(fields);
  const rows = useList('/api/v1/commands', { query: { ...filters.query, host: id } }, (r) => r.id);
  const columns: Column<Command>[] = [
    { id: 'verb', title: t('list.verb'), width: 150, render: (r) => (r.task ? <TaskLink id={r.task}>{word('orderVerb', r.verb)}</TaskLink> : word('orderVerb', r.verb)), csv: (r) => word('orderVerb', r.verb) },
    { id: 'state', title: t('list.status'), width: 110, grow: 0, render: (r) => <Status kind="commandState" value={r.state} />, csv: (r) => word('commandState', r.state) },
    { id: 'reason', title: t('list.reason'), width: 240, grow: 2, render: (r) => <HostText text={r.result?.reason || r.reason} />, csv: (r) => r.result?.reason || r.reason },
    { id: 'by', title: t('list.by'), width: 130, grow: 0, render: (r) => <HostText text={r.ordered_by} />, csv: (r) => r.ordered_by },
    { id: 'created', title: t('list.ordered'), width: 160, grow: 0, render: (r) => <Time at={r.created_at} />, csv: (r) => r.created_at },
    { id: 'sent', title: t('list.sent'), width: 160, grow: 0, hidden: true, render: (r) => <Time at={r.sent_at} />, csv: (r) => r.sent_at },
    { id: 'finished', title: t('list.finished'), width: 160, grow: 0, render: (r) => <Time at={r.finished_at} />, csv: (r) => r.finished_at },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 110,
      grow: 0,
      render: (r) =>
        !r.cancel && ['pending', 'sent'].includes(r.state) && can('operate', r.project) && (
          <ConfirmAction
            label={t('list.cancel')}
            button={{ type: 'link', size: 'small' }}
            title={t('list.cancelTitle')}
            text={t('list.cancelText')}
            names={[word('orderVerb', r.verb)]}
            verb={t('list.cancel')}
            danger
            action={async () => {
              await cancel.mutateAsync({ path: { id: r.id } });
              done(t('list.cancelDone'));
            }}
          />
        ),
    },
  ];
  return (
    <>
      <FilterBar id="host-orders" of={filters} />
      <DataTable id="host-orders" label={t('host.tab.orders')} rows={rows} idOf={(r) => r.id} columns={columns} filtered={filters.active > 0} onClearFilters={filters.clear} />
    </>
  );
}
