// SPDX-License-Identifier: Apache-2.0
/** A new pool of an edition, or another number, end and use of one that is there. */
import { Alert, Button, Checkbox, Form, Input, InputNumber, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useSend, useVersioned } from '@/api/hooks';
import type { BodyOf } from '@/api/types';
import { Shown } from '@/app/states';
import { useAttempt } from '@/parts/attempt';
import { useFeedback } from '@/parts/feedback';
import { useOptions, useWord } from '@/parts/tags';
import { useProjectNames, type Quota } from './names';
import { FOR_FORMS, useFirst } from './useFirst';

const EDITIONS = ['basic', 'professional', 'enterprise', 'premium', 'wtp', 'container'];
const CHANGES = ['/api/v1/quotas', '/api/v1/hosts'];

interface Fields {
  project: string;
  edition: string;
  total?: number | null;
  /** As the browser's own field has it: the day; it ends with that day. */
  until?: string;
  automatic: boolean;
  note: string;
}

/** Today and later; the day's end in the viewer's zone. */
export function endOf(day: string | undefined): string | null {
  if (!day) return null;
  const end = new Date(`${day}T23:59:59`);
  return Number.isNaN(end.getTime()) ? null : end.toISOString();
}

export function dayOf(at: string | null | undefined): string {
  if (!at) return '';
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

export function NewQuota({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('hosts');
  const { done } = useFeedback();
  const word = useWord();
  const create = useSend('post', '/api/v1/quotas', { changes: CHANGES });
  return (
    <QuotaForm
      title={t('quota.new')}
      verb={t('quota.make')}
      first={{ project: '*', edition: 'enterprise', automatic: false, note: '' }}
      fresh
      onClose={onClose}
      save={async (f) => {
        await create.mutateAsync({
          body: { project: f.project, edition: f.edition, total: f.total ?? null, expires_at: endOf(f.until), automatic: f.automatic, note: f.note.trim() },
        });
        done(t('quota.made', { edition: word('edition', f.edition) }));
      }}
    />
  );
}

type Change = BodyOf<'/api/v1/quotas/{id}', 'put'>;

export function changeOf(q: Quota): Change {
  return {
    total: q.unlimited ? null : (q.total ?? null),
    expires_at: q.expires_at ?? null,
    automatic: q.automatic,
    note: q.note,
    quota_status: q.quota_status === 'freeze' ? 'freeze' : 'normal',
  };
}

export function EditQuota({ quota, onClose }: { quota: Quota; onClose: () => void }) {
  const { t } = useTranslation('hosts');
  const { done } = useFeedback();
  const word = useWord();
  const found = useFirst(useVersioned('/api/v1/quotas/{id}', { path: { id: quota.id } }, FOR_FORMS));
  const change = useSend('put', '/api/v1/quotas/{id}', { changes: CHANGES });
  return (
    <Shown of={found}>
      {({ value, etag }) => (
        <QuotaForm
          title={t('quota.editTitle', { edition: word('edition', value.edition) })}
          verb={t('save')}
          first={{ project: value.project, edition: value.edition, total: value.total ?? null, until: dayOf(value.expires_at), automatic: value.automatic, note: value.note }}
          used={value.used}
          onClose={onClose}
          save={async (f) => {
            const path = { id: quota.id };
            // The same day is the same end: to the second as it was.
            const expires_at = f.until === dayOf(value.expires_at) ? (value.expires_at ?? null) : endOf(f.until);
            const body: Change = { ...changeOf(value), total: f.total ?? null, expires_at, automatic: f.automatic, note: f.note.trim() };
            const after = await change.mutateAsync({ path, ifMatch: etag, body });
            done(t('quota.changed', { edition: word('edition', value.edition) }), {
              undo: () => change.mutateAsync({ path, ifMatch: `"${after.revision}"`, body: changeOf(value) }),
            });
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
  fresh?: boolean;
  used?: number;
  save: (fields: Fields) => Promise<void>;
  onClose: () => void;
}

function QuotaForm({ title, verb, first, fresh, used, save, onClose }: FormProps) {
  const { t } = useTranslation('hosts');
  const options = useOptions();
  const projects = useProjectNames();
  const { busy, error, attempt } = useAttempt();
  const finish = (f: Fields) =>
    attempt(async () => {
      await save({ ...first, ...f });
      onClose();
    });
  return (
    <Modal open title={title} onCancel={onClose} footer={null} mask={{ closable: false }} destroyOnHidden>
      <Form<Fields> layout="vertical" requiredMark={false} initialValues={first} onFinish={(f) => void finish(f)}>
        {error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />}
        <div className="form-pair">
          {fresh && (
            <>
              <Form.Item name="edition" label={t('column.edition')}>
                <Select options={options('edition', EDITIONS)} />
              </Form.Item>
              <Form.Item name="project" label={t('column.project')}>
                <Select options={['*', ...projects.ids].map((id) => ({ value: id, label: projects.name(id) }))} showSearch={{ optionFilterProp: 'label' }} />
              </Form.Item>
            </>
          )}
          <Form.Item name="total" label={t('quota.total')} extra={used ? t('quota.usedNow', { count: used }) : undefined}>
            <InputNumber min={0} max={10_000_000} precision={0} placeholder={t('quota.unlimited')} className="wide" autoFocus />
          </Form.Item>
          <Form.Item name="until" label={t('quota.until')} extra={t('quota.untilHint')}>
            <input type="date" className="native wide" />
          </Form.Item>
        </div>
        <Form.Item name="automatic" valuePropName="checked" extra={t('quota.automaticHint')}>
          <Checkbox>{t('column.automatic')}</Checkbox>
        </Form.Item>
        <Form.Item name="note" label={t('column.note')}>
          <Input maxLength={200} />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={busy}>
          {verb}
        </Button>
      </Form>
    </Modal>
  );
}
