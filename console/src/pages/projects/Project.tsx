// SPDX-License-Identifier: Apache-2.0
/** One project: what it asks of its people. */
import { useParams } from '@tanstack/react-router';
import { Alert, Button, Checkbox, Form, InputNumber } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import { useGet, useSend, useVersioned, type Versioned } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Shown } from '@/app/states';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { ListLink } from '@/parts/links';
import { Facts, Page, Panel } from '@/parts/Page';
import { Time } from '@/parts/Time';

type Rules = Schema<'Rules'>;
const PATH = '/api/v1/projects/{project}/rules';

export default function Project() {
  const { t } = useTranslation('projects');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const project = useGet('/api/v1/projects/{project}', { path: { project: id } });
  const rules = useVersioned(PATH, { path: { project: id } });
  return (
    <Shown of={project}>
      {(p) => (
        <Page title={p.name} crumbs={[{ to: '/projects', name: t('projects.title') }]}>
          <Panel>
            <Facts
              of={[
                [t('column.id'), <code key="i">{p.id}</code>],
                [t('column.created'), <Time key="c" at={p.created_at} />],
                [t('links'), <span key="l" className="tags"><ListLink to="/hosts" search={{ project: p.id }}>{t('hosts')}</ListLink><ListLink to="/alarms" search={{ project: p.id }}>{t('alarms')}</ListLink><ListLink to="/install/security" search={{ project: p.id }}>{t('security')}</ListLink></span>],
              ]}
            />
          </Panel>
          <Shown of={rules}>{(thing) => <RulesPanel key={thing.etag} id={p.id} of={thing} />}</Shown>
        </Page>
      )}
    </Shown>
  );
}

function RulesPanel({ id, of: { value, etag } }: { id: string; of: Versioned<Schema<'ProjectRules'>> }) {
  const { t } = useTranslation('projects');
  const { done, waits } = useFeedback();
  const may = useCan()('administer', id);
  const [form] = Form.useForm<Rules>();
  const [wanted, setWanted] = useState<Rules | null>(null);
  const [dirty, setDirty] = useState(false);
  const write = useSend('put', PATH, { changes: ['/api/v1/projects', '/api/v1/approvals'] });
  const two = Form.useWatch<boolean | undefined>('two_person', form) ?? value.rules.two_person;

  const undo = async (after: number) => {
    const { data, response } = await api.GET(PATH, { params: { path: { project: id } } });
    if (data?.revision !== after) throw new Error(t('changedSince'));
    const answer = await write.mutateAsync({ path: { project: id }, ifMatch: response.headers.get('ETag') ?? '', body: value.rules });
    if (!waits(answer, t('rules.title'))) done(t('rules.undone'));
  };
  const save = async (rules: Rules) => {
    const answer = await write.mutateAsync({ path: { project: id }, ifMatch: etag, body: rules });
    if (waits(answer, t('rules.title'))) {
      form.resetFields();
      setDirty(false);
      return;
    }
    done(t('rules.saved'), { undo: () => undo((answer as unknown as Schema<'ProjectRules'>).revision) });
  };
  const number = (name: 'most_hosts' | 'most_files' | 'approval_hours', least: number, most: number) => (
    <Form.Item<Rules> name={name} label={t(`rules.${name}`)} rules={[{ type: 'number', required: true, min: least, max: most, message: `${least} – ${most}` }]}>
      <InputNumber min={least} max={most} precision={0} disabled={!may || !two} className="policy-number" />
    </Form.Item>
  );
  return (
    <Panel title={t('rules.title')} extra={value.updated_by && <span className="quiet">{t('rules.by')} <HostText text={value.updated_by} /> · <Time at={value.updated_at} /></span>}>
      <Form<Rules> form={form} layout="vertical" requiredMark={false} disabled={!may} initialValues={value.rules} onValuesChange={() => setDirty(true)} onFinish={(f) => setWanted({ ...value.rules, ...f })} className="narrow-form">
        <Form.Item<Rules> name="second_factor" valuePropName="checked" extra={t('rules.second_factorText')}>
          <Checkbox>{t('rules.second_factor')}</Checkbox>
        </Form.Item>
        <Form.Item<Rules> name="two_person" valuePropName="checked" extra={t('rules.two_personText')}>
          <Checkbox>{t('rules.two_person')}</Checkbox>
        </Form.Item>
        {number('most_hosts', 0, 10_000)}
        {number('most_files', 0, 10_000)}
        {number('approval_hours', 1, 720)}
        {may && (
          <div className="form-actions">
            <Button type="primary" htmlType="submit" disabled={!dirty}>{t('rules.save')}</Button>
            {dirty && <Button onClick={() => { form.resetFields(); setDirty(false); }}>{t('rules.discard')}</Button>}
          </div>
        )}
      </Form>
      {wanted && (
        <ConfirmDialog
          open
          onClose={() => setWanted(null)}
          title={t('rules.confirm')}
          text={t('rules.confirmText')}
          names={(Object.keys(wanted) as (keyof Rules)[]).filter((k) => wanted[k] !== value.rules[k]).map((k) => `${t(`rules.${k}`)}: ${say(value.rules[k], t('yes'), t('no'))} → ${say(wanted[k], t('yes'), t('no'))}`)}
          verb={t('rules.save')}
          action={() => save(wanted)}
        >
          {value.rules.two_person && <Alert type="info" showIcon title={t('rules.waits')} />}
        </ConfirmDialog>
      )}
    </Panel>
  );
}

function say(value: boolean | number, yes: string, no: string): string {
  return typeof value === 'number' ? String(value) : value ? yes : no;
}
