// SPDX-License-Identifier: Apache-2.0
/** Where alarms are told to: mail, web hook, and exports to files, HTTP and syslog. */
import { useNavigate } from '@tanstack/react-router';
import { Alert, Button, Drawer, Form } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ThingLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { holds, keepRows, ProjectName, useProjectOptions } from '@/parts/projects';
import { SecretOnce } from '@/parts/SecretOnce';
import { Tag, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { EVERYWHERE, type Fields, FRESH, KINDS, placeOf, secretsOf, settingsOf } from './form';
import { NotificationTabs } from './NotificationTabs';
import { TargetFields } from './TargetFields';

type Row = Schema<'Target'>;

export function TargetState({ of }: { of: Row }) {
  const { t } = useTranslation('notifications');
  if (!of.enabled) return <Tag tone="quiet">{t('off')}</Tag>;
  if (of.state.failures > 0) return <Tag tone="high">{t('failing')}</Tag>;
  return <Tag tone={of.state.last_success_at ? 'good' : 'low'}>{t(of.state.last_success_at ? 'works' : 'nothingYet')}</Tag>;
}

export default function Notifications() {
  const { t, i18n } = useTranslation('notifications');
  const word = useWord();
  const options = useOptions();
  const can = useCan();
  const navigate = useNavigate();
  const { project } = useProject();
  const [making, setMaking] = useState(false);
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.text') },
      { name: 'kind', kind: 'one', label: t('column.kind'), options: options('targetKind', KINDS) },
      { name: 'failing', kind: 'flag', label: t('failing') },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters(fields);
  const { text, kind, failing } = filters.values;
  const rows = keepRows(
    wholeList(useGet('/api/v1/targets', {}, { refetchInterval: 15_000 })),
    (r) => holds(text, r.name, placeOf(r.settings)) && (!kind || r.kind === kind) && (!failing || String(r.state.failures > 0) === failing) && (!project || !r.project || r.project === project),
  );
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 180, render: (row) => <ThingLink to="/notifications/$id" id={row.id}><HostText text={row.name} /></ThingLink>, csv: (row) => row.name },
    { id: 'kind', title: t('column.kind'), width: 100, grow: 0, render: (row) => word('targetKind', row.kind), csv: (row) => word('targetKind', row.kind) },
    { id: 'place', title: t('column.place'), width: 220, grow: 2, render: (row) => <HostText text={placeOf(row.settings)} />, csv: (row) => placeOf(row.settings) },
    { id: 'state', title: t('column.state'), width: 120, grow: 0, render: (row) => <TargetState of={row} />, csv: (row) => (row.enabled ? row.state.failures : t('off')) },
    { id: 'sent', title: t('column.sent'), width: 80, grow: 0, align: 'right', render: (row) => numberText(row.state.sent, i18n.language), csv: (row) => row.state.sent },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, render: (row) => <Time at={row.state.last_success_at} />, csv: (row) => row.state.last_success_at },
    { id: 'error', title: t('column.error'), width: 200, render: (row) => <HostText text={row.state.error} />, csv: (row) => row.state.error },
    { id: 'project', title: t('column.project'), width: 120, render: (row) => <ProjectName id={row.project} />, csv: (row) => row.project },
    { id: 'updatedBy', title: t('column.updatedBy'), width: 120, hidden: true, render: (row) => <HostText text={row.updated_by} />, csv: (row) => row.updated_by },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.updated_at} />, csv: (row) => row.updated_at },
  ];
  return (
    <Page title={t('notifications.title')} about={t('about')} tabs={<NotificationTabs />} actions={can('administer') && <Button type="primary" onClick={() => setMaking(true)}>{t('new')}</Button>}>
      <FilterBar id="targets" of={filters} />
      <DataTable id="targets" label={t('notifications.title')} rows={rows} idOf={(row) => row.id} columns={columns} filtered={filters.active > 0} onClearFilters={filters.clear} empty={t('none')} onOpen={(row) => void navigate({ to: '/notifications/$id', params: { id: row.id } })} />
      {making && <NewTarget onClose={() => setMaking(false)} />}
    </Page>
  );
}

function NewTarget({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('notifications');
  const navigate = useNavigate();
  const projects = useProjectOptions('administer');
  const { project } = useProject();
  const create = useSend('post', '/api/v1/targets');
  const [made, setMade] = useState<Schema<'TargetSecret'> | null>(null);
  const open = (id: string) => void navigate({ to: '/notifications/$id', params: { id } });
  const make = async (f: Fields) => {
    const whole = { ...FRESH, ...f };
    const answer = await create.mutateAsync({
      body: { name: whole.name.trim(), project: whole.project === EVERYWHERE ? undefined : whole.project, enabled: whole.enabled, settings: settingsOf(whole), ...secretsOf(whole) },
    });
    if (answer.secret) setMade(answer);
    else open(answer.target.id);
  };
  if (made?.secret) return <HookSecret secret={made.secret} onClose={() => open(made.target.id)} />;
  return (
    <Drawer open title={t('new')} onClose={onClose} size={620} mask={{ closable: false }}>
      <Form<Fields> layout="vertical" requiredMark={false} initialValues={{ ...FRESH, project: project ?? projects[0]?.value ?? EVERYWHERE }} onFinish={(f) => void make(f).catch(() => undefined)}>
        <TargetFields />
        {create.error && <Alert type="error" showIcon title={create.error.message} role="alert" className="door-error" />}
        <Button type="primary" htmlType="submit" loading={create.isPending}>{t('make')}</Button>
      </Form>
    </Drawer>
  );
}

export function HookSecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const { t } = useTranslation('notifications');
  return <SecretOnce title={t('secret.title')} secret={secret} once={t('secret.once')} text={t('secret.text')} copy={t('secret.copy')} kept={t('secret.kept')} onClose={onClose} />;
}
