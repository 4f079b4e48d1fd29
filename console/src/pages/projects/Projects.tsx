// SPDX-License-Identifier: Apache-2.0
/** Projects that one may see, and a new one. */
import { useNavigate } from '@tanstack/react-router';
import { Alert, Button, Form, Input, Modal } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { useFeedback } from '@/parts/feedback';
import { ListLink, ThingLink } from '@/parts/links';
import { totalText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { holds, keepRows } from '@/parts/projects';
import { Time } from '@/parts/Time';

type Row = Schema<'Project'>;

function HostCount({ project }: { project: string }) {
  const { i18n } = useTranslation('projects');
  const found = useGet('/api/v1/hosts', { query: { project, limit: 1 } }, { staleTime: 30_000 });
  if (!found.data) return <>…</>;
  return <ListLink to="/hosts" search={{ project }}>{totalText(found.data.total, found.data.total_is_capped, i18n.language)}</ListLink>;
}

export default function Projects() {
  const { t } = useTranslation('projects');
  const navigate = useNavigate();
  const can = useCan();
  const [making, setMaking] = useState(false);
  const fields = useMemo<FilterField[]>(() => [{ name: 'text', kind: 'search', label: t('filter') }], [t]);
  const filters = useFilters(fields);
  const rows = keepRows(wholeList(useGet('/api/v1/projects')), (p) => holds(filters.values.text, p.name, p.id));
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 260, render: (row) => <ThingLink to="/projects/$id" id={row.id}><HostText text={row.name} /></ThingLink>, csv: (row) => row.name },
    { id: 'hosts', title: t('column.hosts'), width: 100, grow: 0, align: 'right', render: (row) => <HostCount project={row.id} /> },
    { id: 'id', title: t('column.id'), width: 290, grow: 0, render: (row) => <code>{row.id}</code>, csv: (row) => row.id },
    { id: 'created', title: t('column.created'), width: 160, grow: 0, render: (row) => <Time at={row.created_at} />, csv: (row) => row.created_at },
  ];
  return (
    <Page title={t('projects.title')} about={t('about')} actions={can('administer_all') && <Button type="primary" onClick={() => setMaking(true)}>{t('new')}</Button>}>
      <FilterBar id="projects" of={filters} />
      <DataTable id="projects" label={t('projects.title')} rows={rows} idOf={(row) => row.id} columns={columns} filtered={filters.active > 0} onClearFilters={filters.clear} onOpen={(row) => void navigate({ to: '/projects/$id', params: { id: row.id } })} />
      {making && <NewProject onClose={() => setMaking(false)} />}
    </Page>
  );
}

function NewProject({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('projects');
  const { done } = useFeedback();
  const navigate = useNavigate();
  const create = useSend('post', '/api/v1/projects');
  const make = async (name: string) => {
    const made = await create.mutateAsync({ body: { name } });
    done(t('made'));
    await navigate({ to: '/projects/$id', params: { id: made.id } });
  };
  return (
    <Modal open title={t('new')} onCancel={onClose} footer={null} mask={{ closable: false }}>
      <Form<{ name: string }> layout="vertical" requiredMark={false} onFinish={(f) => void make(f.name.trim()).catch(() => undefined)}>
        {create.error && <Alert type="error" showIcon title={create.error.message} role="alert" className="door-error" />}
        <Form.Item name="name" label={t('column.name')} extra={t('newText')} rules={[{ required: true, whitespace: true, message: t('needed') }]}>
          <Input maxLength={64} autoFocus />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={create.isPending}>{t('make')}</Button>
      </Form>
    </Modal>
  );
}
