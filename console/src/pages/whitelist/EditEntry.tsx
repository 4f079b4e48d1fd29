// SPDX-License-Identifier: Apache-2.0
/** Reason, owner, class and end of an entry. What it matches stays: another rule is another entry. */
import { Input, Select } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend, type Versioned } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { useOptions } from '@/parts/tags';
import { TextArea } from '@/parts/TextArea';
import { Line } from './RuleFields';
import { CLASSES, type Class } from './rule';

type Entry = Schema<'WhitelistEntry'>;

/** As the browser's field of date and time wants it. */
export function toField(at: string | null | undefined): string {
  if (!at) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function EditEntry({ entry, onClose }: { entry: Versioned<Entry>; onClose: () => void }) {
  const { t } = useTranslation('whitelist');
  const options = useOptions();
  const id = useId();
  const { done } = useFeedback();
  // What was read when the dialog opened: a change meanwhile is told by the server.
  const [base] = useState(entry);
  const [description, setDescription] = useState(base.value.description);
  const [owner, setOwner] = useState(base.value.owner);
  const [kind, setKind] = useState(base.value.class ?? '');
  const [expires, setExpires] = useState(() => toField(base.value.expires_at));
  const put = useSend('put', '/api/v1/whitelist/{id}', { changes: ['/api/v1/whitelist'] });
  const [now] = useState(() => Date.now());
  const over = expires !== '' && !(Date.parse(expires) > now);
  const needsClass = base.value.judge.startsWith('not_') && kind === '';
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t('edit.title')}
      text={t('edit.text')}
      names={[base.value.value]}
      verb={t('edit.verb')}
      ready={description.trim() !== '' && owner.trim() !== '' && !over && !needsClass}
      action={async () => {
        await put.mutateAsync({
          path: { id: base.value.id },
          ifMatch: base.etag,
          body: {
            description: description.trim(),
            owner: owner.trim(),
            ...(kind ? { class: kind as Class } : {}),
            ...(expires ? { expires_at: new Date(expires).toISOString() } : {}),
          },
        });
        done(t('edit.done'));
      }}
    >
      <div className="form">
        <Line label={t('form.description')} id={`${id}d`}>
          <TextArea id={`${id}d`} value={description} maxLength={512} least={2} most={4} onChange={(e) => setDescription(e.target.value)} />
        </Line>
        <Line label={t('form.owner')} id={`${id}o`}>
          <Input id={`${id}o`} value={owner} maxLength={64} onChange={(e) => setOwner(e.target.value)} />
        </Line>
        <Line label={t('form.class')} id={`${id}c`} hint={needsClass ? t('wrong.class') : undefined}>
          <Select id={`${id}c`} className="rule-scope" allowClear placeholder={t('form.everyClass')} value={kind || undefined} options={options('class', CLASSES)} onChange={(v?: string) => setKind(v ?? '')} />
        </Line>
        <Line label={t('form.expires')} id={`${id}e`} hint={over ? t('wrong.expires') : undefined}>
          <input id={`${id}e`} type="datetime-local" className="native" value={expires} onChange={(e) => setExpires(e.target.value)} />
        </Line>
      </div>
    </ConfirmDialog>
  );
}
