// SPDX-License-Identifier: Apache-2.0
/** Malware Cloud Scan: what may leave the hosts of a project. Said in words before and after each change. */
import { Alert, Button, Checkbox, Form, InputNumber, Radio, Select } from 'antd';
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
import { ThingLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Time } from '@/parts/Time';
import { TextArea } from '@/parts/TextArea';
import { type Consent, leavesOf } from './leaves';

const PATH = '/api/v1/projects/{project}/cloud-scan';
const KIB = 1024;

/** Sizes in KiB and folders one a line, as people write them. */
type Fields = Omit<Consent, 'exclude' | 'max_sample_bytes' | 'bytes_per_second' | 'ring_seconds'> & {
  exclude: string;
  max_kib: number;
  rate_kib: number;
  ring: 'person' | 'after';
  ring_seconds: number;
};

const fieldsOf = (c: Consent): Fields => ({
  ...c,
  exclude: c.exclude.join('\n'),
  max_kib: c.max_sample_bytes / KIB,
  rate_kib: c.bytes_per_second / KIB,
  ring: c.ring_seconds < 0 ? 'person' : 'after',
  ring_seconds: Math.max(0, c.ring_seconds),
});

export function consentOf({ exclude, max_kib, rate_kib, ring, ...f }: Fields): Consent {
  return {
    ...f,
    // A host asks before it sends.
    samples: f.hashes && f.samples,
    exclude: [...new Set(exclude.split('\n').map((l) => l.trim()).filter((l) => l !== ''))],
    max_sample_bytes: Math.round(max_kib * KIB),
    bytes_per_second: Math.round(rate_kib * KIB),
    ring_seconds: ring === 'person' ? -1 : f.ring_seconds,
  };
}

function Words({ of, on }: { of: Consent; on: boolean }) {
  const { t, i18n } = useTranslation('security');
  return (
    <ul className="leaves">
      {leavesOf(of, on, t, i18n.language).map((line) => (
        <li key={line}><HostText text={line} /></li>
      ))}
    </ul>
  );
}

export function CloudConsent({ project }: { project: string }) {
  const { t } = useTranslation('security');
  const found = useVersioned(PATH, { path: { project } });
  return (
    <Panel title={t('cloud.title')}>
      <Shown of={found}>{(thing) => <Editor key={thing.etag} project={project} of={thing} />}</Shown>
    </Panel>
  );
}

function Editor({ project, of: { value, etag } }: { project: string; of: Versioned<Schema<'CloudScan'>> }) {
  const { t } = useTranslation('security');
  const can = useCan();
  const { done, waits } = useFeedback();
  const [editing, setEditing] = useState(false);
  const [asked, setAsked] = useState<Consent | null>(null);
  const write = useSend('put', PATH, { changes: ['/api/v1/projects', '/api/v1/approvals'] });

  const undo = async (after: number) => {
    const { data, response } = await api.GET(PATH, { params: { path: { project } } });
    if (data?.revision !== after) throw new Error(t('changedSince'));
    const answer = await write.mutateAsync({ path: { project }, ifMatch: response.headers.get('ETag') ?? '', body: value.consent });
    if (!waits(answer, t('cloud.save'))) done(t('cloud.undone'));
  };
  const save = async (consent: Consent) => {
    const answer = await write.mutateAsync({ path: { project }, ifMatch: etag, body: consent });
    setEditing(false);
    if (waits(answer, t('cloud.save'))) return;
    done(t('cloud.saved'), { undo: () => undo((answer as unknown as Schema<'CloudScan'>).revision) });
  };

  return (
    <>
      <p className="replay-caption">{t('cloud.leaves')}</p>
      <Words of={value.consent} on={value.on} />
      <p className="quiet">
        {value.updated_by ? (
          <>
            {t('setBy')} <HostText text={value.updated_by} /> · <Time at={value.updated_at} />
          </>
        ) : (
          t('cloud.never')
        )}
        {value.scan && (
          <>
            {' · '}
            <ThingLink to="/scans/$id" id={value.scan.task}>{t(value.scan.runs ? 'scanRuns' : 'cloud.lastScan')}</ThingLink>
          </>
        )}
      </p>
      {!editing && can('administer', project) && <Button onClick={() => setEditing(true)}>{t('cloud.edit')}</Button>}
      {editing && <ConsentForm project={project} before={value.consent} on={value.on} onCancel={() => setEditing(false)} onDone={setAsked} />}
      <ConfirmDialog
        open={asked !== null}
        onClose={() => setAsked(null)}
        title={t('cloud.confirm')}
        text={asked && (<><p className="replay-caption">{t('cloud.willLeave')}</p><Words of={asked} on={value.on} /></>)}
        verb={t('cloud.save')}
        danger={Boolean(asked && ((asked.hashes && !value.consent.hashes) || (asked.samples && !value.consent.samples)))}
        action={() => (asked ? save(asked) : Promise.resolve())}
      />
    </>
  );
}

function ConsentForm({ project, before, on, onCancel, onDone }: { project: string; before: Consent; on: boolean; onCancel: () => void; onDone: (c: Consent) => void }) {
  const { t } = useTranslation('security');
  const [form] = Form.useForm<Fields>();
  const seen = Form.useWatch<Fields, Consent>((f) => consentOf({ ...fieldsOf(before), ...f }), { form, preserve: true }) ?? before;
  const groups = useGet('/api/v1/host-groups');
  const options = (groups.data?.items ?? []).filter((g) => g.project === project).map((g) => ({ value: g.id, label: g.name }));
  const folders = (_: unknown, text: string) => {
    const bad = text.split('\n').map((l) => l.trim()).find((l) => l !== '' && !l.startsWith('/'));
    return bad === undefined ? Promise.resolve() : Promise.reject(new Error(t('cloud.wrongFolder', { line: bad })));
  };
  const number = (name: keyof Fields, label: string, least: number, most: number, unit: string, extra?: string) => (
    <Form.Item<Fields> name={name as 'max_kib'} label={label} extra={extra} rules={[{ type: 'number', required: true, min: least, max: most, message: `${least} – ${most}` }]}>
      <InputNumber min={least} max={most} precision={0} suffix={unit} className="consent-number" />
    </Form.Item>
  );
  return (
    <Form<Fields> form={form} layout="vertical" requiredMark={false} initialValues={fieldsOf(before)} className="consent" onFinish={(f) => onDone(consentOf({ ...fieldsOf(before), ...f }))}>
      <div className="panels">
        <fieldset>
          <legend>{t('cloud.what')}</legend>
          <Form.Item<Fields> name="hashes" valuePropName="checked" extra={t('cloud.hashesText')}>
            <Checkbox>{t('cloud.hashes')}</Checkbox>
          </Form.Item>
          <Form.Item<Fields> name="samples" valuePropName="checked" extra={t('cloud.samplesText')}>
            <Checkbox disabled={!seen.hashes}>{t('cloud.samples')}</Checkbox>
          </Form.Item>
          <Form.Item<Fields> name="kinds" label={t('cloud.kinds')} rules={[{ validator: (_, v: string[]) => (seen.samples && v.length === 0 ? Promise.reject(new Error(t('cloud.oneKind'))) : Promise.resolve()) }]}>
            <Checkbox.Group disabled={!seen.samples} options={[{ value: 'executable', label: t('leaves.kind.executable') }, { value: 'script', label: t('leaves.kind.script') }]} />
          </Form.Item>
          <Form.Item<Fields> name="exclude" label={t('cloud.exclude')} extra={t('cloud.excludeText')} rules={[{ validator: folders }]}>
            <TextArea least={2} most={8} spellCheck={false} className="mono" placeholder="/home" />
          </Form.Item>
        </fieldset>
        <fieldset>
          <legend>{t('cloud.limits')}</legend>
          {number('max_kib', t('cloud.size'), 1, 1_048_576, 'KiB')}
          {number('rate_kib', t('cloud.rate'), 0, 1_048_576, 'KiB/s', t('cloud.rateText'))}
          {number('retention_days', t('cloud.retention'), 0, 3650, t('cloud.days'), t('cloud.retentionText'))}
        </fieldset>
        <fieldset>
          <legend>{t('cloud.acts')}</legend>
          <Form.Item<Fields> name="canary_groups" label={t('cloud.canary')} extra={t('cloud.canaryText')}>
            <Select mode="multiple" options={options} optionFilterProp="label" allowClear />
          </Form.Item>
          <Form.Item<Fields> name="ring" label={t('cloud.ring')}>
            <Radio.Group options={[{ value: 'after', label: t('cloud.ringAfter') }, { value: 'person', label: t('cloud.ringPerson') }]} />
          </Form.Item>
          {seen.ring_seconds >= 0 && number('ring_seconds', t('cloud.ringSeconds'), 0, 86_400, t('cloud.seconds'), t('cloud.ringText'))}
          {number('wait_ms', t('cloud.wait'), 0, 5000, 'ms')}
          <Form.Item<Fields> name="fail_closed" label={t('cloud.noAnswer')}>
            <Radio.Group options={[{ value: false, label: t('cloud.failOpen') }, { value: true, label: t('cloud.failClosed') }]} />
          </Form.Item>
          {seen.fail_closed && <Alert type="warning" showIcon title={t('cloud.failClosedText')} />}
        </fieldset>
      </div>
      <p className="replay-caption">{t('cloud.willLeave')}</p>
      <Words of={seen} on={on} />
      <div className="form-actions">
        <Button type="primary" htmlType="submit">{t('cloud.review')}</Button>
        <Button onClick={onCancel}>{t('cloud.cancel')}</Button>
      </div>
    </Form>
  );
}
