// SPDX-License-Identifier: Apache-2.0
/** A new group of servers, or another name and policy group for one that is there. */
import { Alert, Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useSend, useVersioned } from '@/api/hooks';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { Shown } from '@/app/states';
import { useAttempt } from '@/parts/attempt';
import { useFeedback } from '@/parts/feedback';
import { safeText } from '@/parts/FileName';
import { FOR_FORMS, useFirst } from './useFirst';
import { usePolicyGroups, useProjectNames, type Group } from './names';

const CHANGES = ['/api/v1/host-groups', '/api/v1/hosts'];

interface Fields {
  name: string;
  project: string;
  policy_group?: string | null;
}

export function NewGroup({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('hosts');
  const { done } = useFeedback();
  const { project } = useProject();
  const can = useCan();
  const projects = useProjectNames();
  const create = useSend('post', '/api/v1/host-groups', { changes: CHANGES });
  const remove = useSend('delete', '/api/v1/host-groups/{id}', { changes: CHANGES });
  const mine = projects.ids.filter((id) => can('administer', id));
  return (
    <GroupForm
      title={t('hostGroups.new')}
      verb={t('hostGroups.make')}
      first={{ name: '', project: (project && mine.includes(project) ? project : mine[0]) ?? '' }}
      projects={mine.map((id) => ({ value: id, label: projects.name(id) }))}
      onClose={onClose}
      save={async (f) => {
        const made = await create.mutateAsync({ body: { name: f.name.trim(), project: f.project, policy_group: f.policy_group ?? null } });
        done(t('hostGroups.made', { name: safeText(made.name) }), {
          undo: () => remove.mutateAsync({ path: { id: made.id }, ifMatch: `"${made.revision}"` }),
        });
      }}
    />
  );
}

export function EditGroup({ group, onClose }: { group: Group; onClose: () => void }) {
  const { t } = useTranslation('hosts');
  const { done } = useFeedback();
  const found = useFirst(useVersioned('/api/v1/host-groups/{id}', { path: { id: group.id } }, FOR_FORMS));
  const change = useSend('put', '/api/v1/host-groups/{id}', { changes: CHANGES });
  return (
    <Shown of={found}>
      {({ value, etag }) => (
        <GroupForm
          title={t('hostGroups.edit')}
          verb={t('save')}
          first={value}
          onClose={onClose}
          save={async (f) => {
            const put = (fields: Pick<Fields, 'name' | 'policy_group'>, ifMatch: string) =>
              change.mutateAsync({ path: { id: group.id }, ifMatch, body: { name: fields.name.trim(), policy_group: fields.policy_group ?? null } });
            const after = await put(f, etag);
            done(t('hostGroups.changed', { name: safeText(f.name) }), { undo: () => put(value, `"${after.revision}"`) });
          }}
        />
      )}
    </Shown>
  );
}

interface FormProps {
  title: string;
  verb: string;
  first: Fields;
  /** Of a new one; a group that is there stays in its project. */
  projects?: { value: string; label: string }[];
  save: (fields: Fields) => Promise<void>;
  onClose: () => void;
}

function GroupForm({ title, verb, first, projects, save, onClose }: FormProps) {
  const { t } = useTranslation('hosts');
  const [form] = Form.useForm<Fields>();
  const project = Form.useWatch('project', form) ?? first.project;
  const policies = usePolicyGroups();
  const { busy, error, attempt } = useAttempt();
  const finish = (f: Fields) =>
    attempt(async () => {
      await save(f);
      onClose();
    });
  return (
    <Modal open title={title} onCancel={onClose} footer={null} mask={{ closable: false }} destroyOnHidden>
      <Form<Fields> form={form} layout="vertical" requiredMark={false} initialValues={first} onFinish={(f) => void finish(f)}>
        {error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />}
        {projects && (
          <Form.Item name="project" label={t('column.project')} rules={[{ required: true, message: t('needed') }]}>
            <Select options={projects} onChange={() => form.setFieldValue('policy_group', undefined)} />
          </Form.Item>
        )}
        <Form.Item name="name" label={t('column.groupName')} rules={[{ required: true, whitespace: true, message: t('needed') }]}>
          <Input maxLength={64} autoFocus />
        </Form.Item>
        <Form.Item name="policy_group" label={t('column.policy')} extra={t('hostGroups.policyHint')}>
          <Select
            allowClear
            placeholder={t('switchesOnly')}
            options={policies.items.filter((p) => p.project === project).map((p) => ({ value: p.id, label: safeText(p.name) }))}
          />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={busy}>
          {verb}
        </Button>
      </Form>
    </Modal>
  );
}
