// SPDX-License-Identifier: Apache-2.0
/** Where web sites lie, by policy group: there scripts are looked at as web shells. */
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import { useCan } from '@/app/permissions';
import { State } from '@/app/states';
import { useChosenOnly, useProjectNames } from '@/pages/hosts/names';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ThingLink } from '@/parts/links';
import { Page } from '@/parts/Page';
import { Time } from '@/parts/Time';
import '@/pages/hosts/hosts.css';
import { EditSettings, FoldersField } from './EditSettings';
import { foldersOf, type PolicyGroup } from './settings';
import { Folders } from './Folders';
import { InstallTabs } from './tabs';

export default function WebShellPaths() {
  const { t } = useTranslation('install');
  const can = useCan();
  const projects = useProjectNames();
  const chosenOnly = useChosenOnly();
  const [editing, setEditing] = useState<PolicyGroup | null>(null);
  const fields: FilterField[] = [
    { name: 'text', kind: 'search', label: t('webShellPaths.filter') },
    { name: 'set', kind: 'flag', label: t('webShellPaths.set') },
  ];
  const filters = useFilters(fields);
  const wanted = (filters.values.text ?? '').toLowerCase();
  const found = useGet('/api/v1/policy-groups');
  const roots = (g: PolicyGroup) => g.settings.web_roots ?? [];
  const items = chosenOnly(found.data?.items ?? []).filter(
    (g) =>
      [g.name, ...roots(g)].some((s) => s.toLowerCase().includes(wanted)) &&
      (!filters.values.set || String(roots(g).length > 0) === filters.values.set),
  );
  const columns: Column<PolicyGroup>[] = [
    { id: 'group', title: t('column.group'), width: 180, render: (g) => <ThingLink to="/policies/$id" id={g.id}><HostText text={g.name} /></ThingLink>, csv: (g) => g.name },
    { id: 'paths', title: t('webShellPaths.title'), width: 320, grow: 3, render: (g) => <Folders of={roots(g)} none={t('ownSettings')} />, csv: (g) => roots(g).join(' ') },
    { id: 'by', title: t('column.updatedBy'), width: 120, grow: 0, render: (g) => <HostText text={g.updated_by} />, csv: (g) => g.updated_by },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, render: (g) => <Time at={g.updated_at} />, csv: (g) => g.updated_at },
    { id: 'project', title: t('column.project'), width: 140, grow: 0, render: (g) => projects.name(g.project), csv: (g) => g.project },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 90,
      grow: 0,
      render: (g) =>
        can('administer', g.project) && (
          <Button type="link" size="small" onClick={() => setEditing(g)}>
            {t('edit.edit')}
          </Button>
        ),
    },
  ];
  return (
    <Page title={t('tabs')} tabs={<InstallTabs />} about={t('webShellPaths.about')}>
      <FilterBar id="web-shell-paths" of={filters} />
      <DataTable
        id="web-shell-paths"
        label={t('webShellPaths.title')}
        rows={wholeList({ ...found, data: found.data && { items } })}
        idOf={(g) => g.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        onOpen={(g) => can('administer', g.project) && setEditing(g)}
        empty={<State title={t('noGroups')}>{t('noGroupsText')}</State>}
      />
      {editing && (
        <EditSettings
          group={editing}
          title={t('webShellPaths.title')}
          read={(s) => ({ web_roots: (s.web_roots ?? []).join('\n') })}
          write={(f) => ({ web_roots: foldersOf(f.web_roots) })}
          onClose={() => setEditing(null)}
        >
          <FoldersField name="web_roots" label={t('webShellPaths.title')} extra={t('webShellPaths.hint')} />
        </EditSettings>
      )}
    </Page>
  );
}
