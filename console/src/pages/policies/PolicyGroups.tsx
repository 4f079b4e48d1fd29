// SPDX-License-Identifier: Apache-2.0
/** How servers judge and act, by policy group. */
import { useNavigate } from '@tanstack/react-router';
import { Alert, Button, Form, Input, Modal, Select } from 'antd';
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
import { Page } from '@/parts/Page';
import { holds, keepRows, ProjectName, useOneProject, useProjectOptions } from '@/parts/projects';
import { Time } from '@/parts/Time';

type Row = Schema<'PolicyGroup'>;

export default function PolicyGroups() {
  const { t } = useTranslation('policies');
  const navigate = useNavigate();
  const can = useCan();
  const { project } = useProject();
  const [making, setMaking] = useState(false);
  const fields = useMemo<FilterField[]>(() => [{ name: 'text', kind: 'search', label: t('filter') }], [t]);
  const filters = useFilters(fields);
  const groups = useGet('/api/v1/host-groups');
  const usedBy = (row: Row) => (groups.data?.items ?? []).filter((g) => g.policy_group === row.id);
  const rows = keepRows(
    wholeList(useGet('/api/v1/policy-groups')),
    (row) => (!project || row.project === project) && holds(filters.values.text, row.name, row.description),
  );
  const setCount = (row: Row) => Object.values(row.settings).filter((v) => v !== null && !(Array.isArray(v) && v.length === 0)).length;

  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 200, render: (row) => <ThingLink to="/policies/$id" id={row.id}><HostText text={row.name} /></ThingLink>, csv: (row) => row.name },
    { id: 'description', title: t('column.description'), width: 240, grow: 2, render: (row) => <HostText text={row.description} />, csv: (row) => row.description },
    { id: 'usedBy', title: t('column.usedBy'), width: 180, render: (row) => (usedBy(row).length ? <HostText text={usedBy(row).map((g) => g.name).join(', ')} /> : <span className="none">{t('nobody')}</span>), csv: (row) => usedBy(row).map((g) => g.name).join(', ') },
    { id: 'set', title: t('column.set'), width: 110, grow: 0, align: 'right', render: setCount, csv: setCount },
    { id: 'updatedBy', title: t('column.updatedBy'), width: 120, render: (row) => <HostText text={row.updated_by} />, csv: (row) => row.updated_by },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, render: (row) => <Time at={row.updated_at} />, csv: (row) => row.updated_at },
    { id: 'project', title: t('column.project'), width: 140, render: (row) => <ProjectName id={row.project} />, csv: (row) => row.project },
  ];
  return (
    <Page
      title={t('policyGroups.title')}
      about={t('about')}
      actions={can('administer') && <Button type="primary" onClick={() => setMaking(true)}>{t('new')}</Button>}
    >
      <FilterBar id="policies" of={filters} />
      <DataTable
        id="policies"
        label={t('policyGroups.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        empty={t('none')}
        onOpen={(row) => void navigate({ to: '/policies/$id', params: { id: row.id } })}
      />
      {making && <NewGroup onClose={() => setMaking(false)} />}
    </Page>
  );
}

interface Fields {
  name: string;
  project: string;
  description?: string;
}

function NewGroup({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('policies');
  const navigate = useNavigate();
  const options = useProjectOptions('administer');
  const one = useOneProject();
  const create = useSend('post', '/api/v1/policy-groups');
  const first = options.some((o) => o.value === one) ? one : options[0]?.value;
  const make = async (f: Fields) => {
    const made = await create.mutateAsync({ body: { name: f.name.trim(), project: f.project, description: f.description?.trim() ?? '', settings: {} } });
    await navigate({ to: '/policies/$id', params: { id: made.id } });
  };
  return (
    <Modal open title={t('new')} onCancel={onClose} footer={null} mask={{ closable: false }}>
      <Form<Fields> layout="vertical" requiredMark={false} initialValues={{ project: first }} onFinish={(f) => void make(f).catch(() => undefined)}>
        {create.error && <Alert type="error" showIcon title={create.error.message} role="alert" className="door-error" />}
        <Form.Item name="name" label={t('column.name')} rules={[{ required: true, whitespace: true, message: t('needed') }]}>
          <Input maxLength={64} autoFocus />
        </Form.Item>
        <Form.Item name="project" label={t('column.project')}>
          <Select options={options} />
        </Form.Item>
        <Form.Item name="description" label={t('column.description')} extra={t('newText')}>
          <Input maxLength={1000} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={create.isPending}>
          {t('make')}
        </Button>
      </Form>
    </Modal>
  );
}
