// SPDX-License-Identifier: Apache-2.0
/** Settings that most policy groups share words for: paths left out, dry run, limits; and rules that only alarm. */
import { Button, Form, InputNumber, Select } from 'antd';
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
import { Tag } from '@/parts/tags';
import '@/pages/hosts/hosts.css';
import { DisarmedRules } from './DisarmedRules';
import { EditSettings, FoldersField } from './EditSettings';
import { Folders } from './Folders';
import { choiceOf, foldersOf, valueOf, type Choice, type PolicyGroup, type Settings } from './settings';
import { InstallTabs } from './tabs';

interface Fields {
  exclude: string;
  dry_run: Choice;
  test_programs: Choice;
  condemn_archives: Choice;
  freeze_seconds?: number | null;
  max_isolations_per_hour?: number | null;
  max_kills_per_hour?: number | null;
}

const FLAGS = ['dry_run', 'test_programs', 'condemn_archives'] as const;
/** Least and most, as the server takes them. */
const NUMBERS = { freeze_seconds: [0, 15], max_isolations_per_hour: [1, 100_000], max_kills_per_hour: [1, 100_000] } as const;
type NumberName = keyof typeof NUMBERS;
const NUMBER_NAMES = Object.keys(NUMBERS) as NumberName[];

function read(s: Settings): Fields {
  return {
    exclude: (s.exclude ?? []).join('\n'),
    dry_run: choiceOf(s.dry_run),
    test_programs: choiceOf(s.test_programs),
    condemn_archives: choiceOf(s.condemn_archives),
    freeze_seconds: s.freeze_seconds,
    max_isolations_per_hour: s.max_isolations_per_hour,
    max_kills_per_hour: s.max_kills_per_hour,
  };
}

function write(f: Fields): Partial<Settings> {
  return {
    exclude: foldersOf(f.exclude),
    dry_run: valueOf(f.dry_run),
    test_programs: valueOf(f.test_programs),
    condemn_archives: valueOf(f.condemn_archives),
    freeze_seconds: f.freeze_seconds ?? undefined,
    max_isolations_per_hour: f.max_isolations_per_hour ?? undefined,
    max_kills_per_hour: f.max_kills_per_hour ?? undefined,
  };
}

export default function CommonSettings() {
  const { t } = useTranslation('install');
  const can = useCan();
  const projects = useProjectNames();
  const chosenOnly = useChosenOnly();
  const [editing, setEditing] = useState<PolicyGroup | null>(null);
  const fields: FilterField[] = [
    { name: 'text', kind: 'search', label: t('commonSettings.filter') },
    { name: 'dry_run', kind: 'flag', label: t('commonSettings.dry_run') },
  ];
  const filters = useFilters(fields);
  const wanted = (filters.values.text ?? '').toLowerCase();
  const found = useGet('/api/v1/policy-groups');
  const items = chosenOnly(found.data?.items ?? []).filter(
    (g) =>
      [g.name, ...(g.settings.exclude ?? [])].some((s) => s.toLowerCase().includes(wanted)) &&
      (!filters.values.dry_run || String(g.settings.dry_run === true) === filters.values.dry_run),
  );
  const flag = (value: boolean | null | undefined) =>
    typeof value === 'boolean' ? t(value ? 'on' : 'off') : <span className="none">{t('own')}</span>;
  const number = (value: number | null | undefined) => value ?? <span className="none">{t('own')}</span>;

  const columns: Column<PolicyGroup>[] = [
    { id: 'group', title: t('column.group'), width: 160, render: (g) => <ThingLink to="/policies/$id" id={g.id}><HostText text={g.name} /></ThingLink>, csv: (g) => g.name },
    { id: 'exclude', title: t('commonSettings.exclude'), width: 220, grow: 2, render: (g) => <Folders of={g.settings.exclude ?? []} none={t('own')} />, csv: (g) => (g.settings.exclude ?? []).join(' ') },
    { id: 'dry_run', title: t('commonSettings.dry_run'), width: 90, grow: 0, render: (g) => (g.settings.dry_run ? <Tag tone="medium">{t('on')}</Tag> : flag(g.settings.dry_run)), csv: (g) => g.settings.dry_run },
    { id: 'test_programs', title: t('commonSettings.test_programs'), width: 130, grow: 0, render: (g) => flag(g.settings.test_programs), csv: (g) => g.settings.test_programs },
    { id: 'condemn_archives', title: t('commonSettings.condemn_archives'), width: 150, grow: 0, hidden: true, render: (g) => flag(g.settings.condemn_archives), csv: (g) => g.settings.condemn_archives },
    ...NUMBER_NAMES.map((name): Column<PolicyGroup> => ({
      id: name,
      title: t(`commonSettings.${name}`),
      width: 140,
      grow: 0,
      align: 'right',
      render: (g) => number(g.settings[name]),
      csv: (g) => g.settings[name],
    })),
    { id: 'project', title: t('column.project'), width: 130, grow: 0, render: (g) => projects.name(g.project), csv: (g) => g.project },
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
  const choices = (['own', 'yes', 'no'] as Choice[]).map((value) => ({ value, label: t(`commonSettings.choice.${value}`) }));
  return (
    <Page title={t('tabs')} tabs={<InstallTabs />} about={t('commonSettings.about')}>
      <FilterBar id="common-settings" of={filters} />
      <DataTable
        id="common-settings"
        label={t('commonSettings.title')}
        rows={wholeList({ ...found, data: found.data && { items } })}
        idOf={(g) => g.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        height={320}
        onOpen={(g) => can('administer', g.project) && setEditing(g)}
        empty={<State title={t('noGroups')}>{t('noGroupsText')}</State>}
      />
      <DisarmedRules />
      {editing && (
        <EditSettings<Fields> group={editing} title={t('commonSettings.title')} read={read} write={write} onClose={() => setEditing(null)}>
          <FoldersField name="exclude" label={t('commonSettings.exclude')} extra={t('commonSettings.excludeHint')} />
          {FLAGS.map((name) => (
            <Form.Item key={name} name={name} label={t(`commonSettings.${name}`)} extra={t(`commonSettings.${name}Hint`)}>
              <Select options={choices} />
            </Form.Item>
          ))}
          {NUMBER_NAMES.map((name) => (
            <Form.Item key={name} name={name} label={t(`commonSettings.${name}`)} extra={t(`commonSettings.${name}Hint`)}>
              <InputNumber min={NUMBERS[name][0]} max={NUMBERS[name][1]} precision={0} placeholder={t('own')} className="wide" />
            </Form.Item>
          ))}
        </EditSettings>
      )}
    </Page>
  );
}
