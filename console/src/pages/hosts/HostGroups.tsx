// SPDX-License-Identifier: Apache-2.0
/** Groups of servers: what they share is a policy group. */
import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read, useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import { useCan } from '@/app/permissions';
import { State } from '@/app/states';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText, safeText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ListLink, ThingLink } from '@/parts/links';
import { totalText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { EditGroup, NewGroup } from './GroupDialog';
import { useChosenOnly, usePolicyGroups, useProjectNames, type Group } from './names';
import { AssetTabs } from './tabs';

/** Counted by the server; a row out of sight asks nothing. */
function HostCount({ group }: { group: Group }) {
  const { t, i18n } = useTranslation('hosts');
  const found = useGet('/api/v1/hosts', { query: { group: group.id, limit: 1 } });
  const number = found.data ? totalText(found.data.total, found.data.total_is_capped, i18n.language) : '–';
  return (
    <ListLink to="/hosts" search={{ group: group.id }} label={t('hostGroups.hostsOf', { name: safeText(group.name), number })}>
      {number}
    </ListLink>
  );
}

export default function HostGroups() {
  const { t } = useTranslation('hosts');
  const can = useCan();
  const { done } = useFeedback();
  const policies = usePolicyGroups();
  const projects = useProjectNames();
  const chosenOnly = useChosenOnly();
  const [making, setMaking] = useState(false);
  const [editing, setEditing] = useState<Group | null>(null);
  const remove = useSend('delete', '/api/v1/host-groups/{id}', { changes: ['/api/v1/host-groups', '/api/v1/hosts'] });
  const fields: FilterField[] = [
    { name: 'name', kind: 'search', label: t('column.groupName') },
    { name: 'policy', kind: 'one', label: t('column.policy'), options: policies.items.map((p) => ({ value: p.id, label: safeText(p.name) })) },
  ];
  const filters = useFilters(fields);
  const found = useGet('/api/v1/host-groups');
  const wanted = (filters.values.name ?? '').toLowerCase();
  const items = chosenOnly(found.data?.items ?? []).filter(
    (g) => g.name.toLowerCase().includes(wanted) && (!filters.values.policy || g.policy_group === filters.values.policy),
  );
  const rows = wholeList({ ...found, data: found.data && { items } });
  const add = can('administer') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t('hostGroups.new')}
    </Button>
  );

  const columns: Column<Group>[] = [
    { id: 'name', title: t('column.groupName'), width: 220, render: (g) => <ListLink to="/hosts" search={{ group: g.id }}><HostText text={g.name} /></ListLink>, csv: (g) => g.name },
    { id: 'hosts', title: t('hosts.title'), width: 90, grow: 0, align: 'right', render: (g) => <HostCount group={g} /> },
    {
      id: 'policy',
      title: t('column.policy'),
      width: 220,
      render: (g) => {
        const policy = policies.of(g.policy_group);
        if (!g.policy_group) return <span className="none">{t('switchesOnly')}</span>;
        return <ThingLink to="/policies/$id" id={g.policy_group}><HostText text={policy?.name ?? g.policy_group} /></ThingLink>;
      },
      csv: (g) => policies.of(g.policy_group)?.name,
    },
    { id: 'project', title: t('column.project'), width: 160, grow: 0, render: (g) => projects.name(g.project), csv: (g) => g.project },
    { id: 'id', title: t('column.id'), width: 280, grow: 0, hidden: true, render: (g) => <code>{g.id}</code>, csv: (g) => g.id },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 130,
      grow: 0,
      render: (g) =>
        can('administer', g.project) && (
          <>
            <Button type="link" size="small" onClick={() => setEditing(g)}>
              {t('edit')}
            </Button>
            <ConfirmAction
              label={t('delete')}
              button={{ type: 'link', size: 'small' }}
              title={t('hostGroups.deleteTitle')}
              text={t('hostGroups.deleteText')}
              names={[g.name]}
              verb={t('delete')}
              danger
              action={async () => {
                const { revision } = await read('/api/v1/host-groups/{id}', { path: { id: g.id } });
                await remove.mutateAsync({ path: { id: g.id }, ifMatch: `"${revision}"` });
                done(t('hostGroups.deleted', { name: safeText(g.name) }));
              }}
            />
          </>
        ),
    },
  ];
  return (
    <Page title={t('tabs')} tabs={<AssetTabs />} actions={add}>
      <FilterBar id="host-groups" of={filters} />
      <DataTable
        id="host-groups"
        label={t('hostGroups.title')}
        rows={rows}
        idOf={(g) => g.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        empty={<State title={t('hostGroups.none')} actions={add}>{t('hostGroups.noneText')}</State>}
      />
      {making && <NewGroup onClose={() => setMaking(false)} />}
      {editing && <EditGroup group={editing} onClose={() => setEditing(null)} />}
    </Page>
  );
}
