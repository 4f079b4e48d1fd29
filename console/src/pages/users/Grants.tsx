// SPDX-License-Identifier: Apache-2.0
/** What a user may do: a role in a project, as often as needed. */
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Form, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Grant } from '@/app/permissions';
import { HostText } from '@/parts/FileName';
import { useProjects } from '@/parts/projects';
import { useOptions, useWord } from '@/parts/tags';

const ROLES = ['viewer', 'operator', 'administrator', 'auditor', 'analyst'];

/** Fields of a form, under `grants`. */
export function GrantFields() {
  const { t } = useTranslation('users');
  const options = useOptions();
  const { projects } = useProjects();
  const places = [{ value: '*', label: t('allProjects') }, ...projects.map((p) => ({ value: p.id, label: p.label }))];
  return (
    <Form.List name="grants">
      {(fields, { add, remove }) => (
        <fieldset className="grants">
          <legend>{t('column.roles')}</legend>
          {fields.map((f) => (
            <div key={f.key} className="grant">
              <Form.Item name={[f.name, 'role']} noStyle>
                <Select options={options('role', ROLES)} aria-label={t('grant.role')} />
              </Form.Item>
              <Form.Item name={[f.name, 'project']} noStyle>
                <Select options={places} aria-label={t('grant.project')} showSearch={{ optionFilterProp: 'label' }} />
              </Form.Item>
              <Button icon={<DeleteOutlined />} aria-label={t('grant.remove')} onClick={() => remove(f.name)} />
            </div>
          ))}
          {fields.length === 0 && <p className="quiet">{t('grant.none')}</p>}
          <Button type="dashed" icon={<PlusOutlined />} onClick={() => add({ role: 'viewer', project: '*' })}>
            {t('grant.add')}
          </Button>
          <ul className="roles-help">
            {ROLES.map((r) => (
              <li key={r}>
                <b>{options('role', [r])[0]?.label}</b>: {t(`roleText.${r}`)}
              </li>
            ))}
          </ul>
        </fieldset>
      )}
    </Form.List>
  );
}

/** As text, for tables. */
export function useGrantText(): (g: Grant) => string {
  const { t } = useTranslation('users');
  const word = useWord();
  const { nameOf } = useProjects();
  return (g) => `${word('role', g.role)} · ${g.project === '*' ? t('allProjects') : nameOf(g.project)}`;
}

export function GrantList({ of }: { of: readonly Grant[] }) {
  const { t } = useTranslation('users');
  const text = useGrantText();
  if (of.length === 0) return <span className="none">{t('grant.none')}</span>;
  return <HostText text={of.map(text).join(', ')} />;
}
