// SPDX-License-Identifier: Apache-2.0
/** How agents stand, and the tokens with which servers enrol. */
import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { NoPermission, State } from '@/app/states';
import { AddServer } from '@/pages/hosts/AddServer';
import { HostTiles } from '@/pages/hosts/HostTiles';
import { useChosenOnly, useGroups, useProjectNames } from '@/pages/hosts/names';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ListLink } from '@/parts/links';
import { Page } from '@/parts/Page';
import { Tag } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { InstallTabs } from './tabs';

type Row = Schema<'EnrolmentToken'>;

export default function Agents() {
  const { t } = useTranslation('install');
  const can = useCan();
  const [adding, setAdding] = useState(false);
  const may = can('administer');
  const add = may && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
      {t('agents.add')}
    </Button>
  );
  return (
    <Page title={t('tabs')} tabs={<InstallTabs />} actions={add} about={t('agents.about')}>
      <HostTiles />
      {may ? <Tokens add={add} /> : <NoPermission>{t('agents.notYours')}</NoPermission>}
      {adding && <AddServer onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Tokens({ add }: { add: React.ReactNode }) {
  const { t } = useTranslation('install');
  const can = useCan();
  const { done } = useFeedback();
  const groups = useGroups();
  const projects = useProjectNames();
  const chosenOnly = useChosenOnly();
  const [revoking, setRevoking] = useState<{ rows: Row[]; clear: () => void } | null>(null);
  const revoke = useSend('delete', '/api/v1/enrolment-tokens/{id}');
  const fields: FilterField[] = [
    { name: 'text', kind: 'search', label: t('agents.filter') },
    { name: 'expired', kind: 'flag', label: t('agents.expired') },
  ];
  const filters = useFilters(fields);
  const wanted = (filters.values.text ?? '').toLowerCase();
  // A server that enrols uses one up: nothing else tells of it.
  const found = useGet('/api/v1/enrolment-tokens', {}, { refetchInterval: 15_000 });
  const items = chosenOnly(found.data?.items ?? []).filter(
    (r) =>
      `${r.note} ${r.created_by} ${r.id}`.toLowerCase().includes(wanted) &&
      (!filters.values.expired || String(r.expired) === filters.values.expired),
  );
  const rows = wholeList({ ...found, data: found.data && { items } });
  const groupName = (r: Row) => (r.group ? (groups.of(r.group)?.name ?? r.group) : null);
  const ask = (chosen: Row[], clear: () => void) => setRevoking({ rows: chosen, clear });

  const columns: Column<Row>[] = [
    { id: 'note', title: t('column.note'), width: 200, grow: 2, render: (r) => <HostText text={r.note} />, csv: (r) => r.note },
    { id: 'state', title: t('column.state'), width: 110, grow: 0, render: (r) => <Tag tone={r.expired ? 'quiet' : 'good'}>{t(r.expired ? 'agents.over' : 'agents.valid')}</Tag>, csv: (r) => t(r.expired ? 'agents.over' : 'agents.valid') },
    { id: 'uses', title: t('column.uses'), width: 110, grow: 0, render: (r) => r.uses_left ?? t('agents.any'), csv: (r) => r.uses_left },
    { id: 'expires', title: t('column.expires'), width: 170, grow: 0, render: (r) => <Time at={r.expires_at} />, csv: (r) => r.expires_at },
    { id: 'group', title: t('column.hostGroup'), width: 150, render: (r) => (r.group ? <ListLink to="/hosts" search={{ group: r.group }}><HostText text={groupName(r)} /></ListLink> : <span className="none">-</span>), csv: groupName },
    { id: 'by', title: t('column.by'), width: 130, render: (r) => <HostText text={r.created_by} />, csv: (r) => r.created_by },
    { id: 'created', title: t('column.created'), width: 170, grow: 0, render: (r) => <Time at={r.created_at} />, csv: (r) => r.created_at },
    { id: 'id', title: t('column.id'), width: 280, grow: 0, hidden: true, render: (r) => <code>{r.id}</code>, csv: (r) => r.id },
    { id: 'project', title: t('column.project'), width: 130, grow: 0, render: (r) => projects.name(r.project), csv: (r) => r.project },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 100,
      grow: 0,
      render: (r) =>
        can('administer', r.project) && (
          <Button type="link" size="small" danger onClick={() => ask([r], () => undefined)}>
            {t('agents.revoke')}
          </Button>
        ),
    },
  ];
  return (
    <>
      <FilterBar id="tokens" of={filters} />
      <DataTable
        id="tokens"
        label={t('agents.tokens')}
        rows={rows}
        idOf={(r) => r.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        batch={(chosen, clear) => (
          <Button size="small" danger disabled={!chosen.every((r) => can('administer', r.project))} onClick={() => ask(chosen, clear)}>
            {t('agents.revoke')}
          </Button>
        )}
        empty={<State title={t('agents.none')} actions={add}>{t('agents.noneText')}</State>}
      />
      {revoking && (
        <ConfirmDialog
          open
          onClose={() => setRevoking(null)}
          title={t('agents.revokeTitle', { count: revoking.rows.length })}
          text={t('agents.revokeText')}
          names={revoking.rows.map((r) => r.note || r.id)}
          verb={t('agents.revoke')}
          danger
          action={async () => {
            for (const r of revoking.rows) await revoke.mutateAsync({ path: { id: r.id } });
            done(t('agents.revoked', { count: revoking.rows.length }));
            revoking.clear();
          }}
        />
      )}
    </>
  );
}
