// SPDX-License-Identifier: Apache-2.0
/** Adds servers: where they belong, how long the token holds and for how many, then the line for their shells. */
import { Alert, Button, Form, Input, InputNumber, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { safeText } from '@/parts/FileName';
import { InstallCommand } from './InstallCommand';
import { useGroups, useProjectNames } from './names';
import './hosts.css';

interface Fields {
  project: string;
  group?: string;
  hours: number;
  uses?: number | null;
  note?: string;
}

/** Hours; the server takes up to 90 days. */
const VALID = [1, 8, 24, 168, 720, 2160];

export function AddServer({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('hosts');
  const can = useCan();
  const { project } = useProject();
  const projects = useProjectNames();
  const groups = useGroups();
  const [form] = Form.useForm<Fields>();
  const chosen = Form.useWatch('project', form);
  const create = useSend('post', '/api/v1/enrolment-tokens');
  const [made, setMade] = useState<Schema<'EnrolmentTokenSecret'> | null>(null);
  const [error, setError] = useState<string | null>(null);
  const mine = projects.ids.filter((id) => can('administer', id));

  const make = async (f: Fields) => {
    setError(null);
    try {
      const body = { project: f.project, group: f.group ?? null, note: f.note?.trim() ?? '', uses: f.uses ?? null, valid_hours: f.hours };
      setMade(await create.mutateAsync({ body }));
    } catch (e) {
      setError(e instanceof Error ? e.message : String(e));
    }
  };
  const validText = (hours: number) => (hours % 24 === 0 ? t('install.days', { count: hours / 24 }) : t('install.hours', { count: hours }));

  return (
    <Modal open title={t('install.title')} onCancel={onClose} footer={null} width={720} mask={{ closable: false }} keyboard={made === null}>
      {made ? (
        <InstallCommand made={made} onClose={onClose} />
      ) : (
        <Form<Fields>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ project: project && mine.includes(project) ? project : mine[0], hours: 24, uses: 1 }}
          onValuesChange={(change: Partial<Fields>) => change.project && form.setFieldValue('group', undefined)}
          onFinish={(f) => void make(f)}
        >
          <p className="confirm-text">{t('install.about')}</p>
          {error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />}
          <div className="form-pair">
            <Form.Item name="project" label={t('column.project')} rules={[{ required: true, message: t('needed') }]}>
              <Select options={mine.map((id) => ({ value: id, label: projects.name(id) }))} showSearch={{ optionFilterProp: 'label' }} />
            </Form.Item>
            <Form.Item name="group" label={t('column.group')}>
              <Select
                allowClear
                placeholder={t('noGroup')}
                options={groups.items.filter((g) => g.project === chosen).map((g) => ({ value: g.id, label: safeText(g.name) }))}
                showSearch={{ optionFilterProp: 'label' }}
              />
            </Form.Item>
            <Form.Item name="hours" label={t('install.valid')}>
              <Select options={VALID.map((h) => ({ value: h, label: validText(h) }))} />
            </Form.Item>
            <Form.Item name="uses" label={t('install.usesHint')}>
              <InputNumber min={1} max={100_000} precision={0} placeholder={t('install.anyUses')} className="wide" />
            </Form.Item>
          </div>
          <Form.Item name="note" label={t('install.note')}>
            <Input maxLength={200} />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={create.isPending} autoFocus>
            {t('install.make')}
          </Button>
        </Form>
      )}
    </Modal>
  );
}
