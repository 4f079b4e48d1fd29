// SPDX-License-Identifier: Apache-2.0
/** A person calls a content bad: what, why, and on how many servers it is refused from then on. */
import { Alert, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { useOptions } from '@/parts/tags';
import { TextArea } from '@/parts/TextArea';
import { CLASSES } from './classes';
import { useWithdraw } from './withdraw';
import './programs.css';

interface Props {
  open: boolean;
  onClose: () => void;
  project: string;
  /** Undefined: it is asked for. */
  sha256?: string;
  /** Servers that have it now, where that is known. */
  hosts?: number;
  onSaid?: (sha256: string) => void;
}

export function SayBad({ open, onClose, project, sha256, hosts, onSaid }: Props) {
  const { t } = useTranslation('programs');
  const options = useOptions();
  const { done, waits } = useFeedback();
  const withdraw = useWithdraw();
  const [digest, setDigest] = useState('');
  const [kind, setKind] = useState<Schema<'Class'>>('malware');
  const [reason, setReason] = useState('');
  const say = useSend('post', '/api/v1/files/{sha256}/verdict', { changes: ['/api/v1/files', '/api/v1/alarms'] });
  const of = sha256 ?? digest.trim().toLowerCase();
  const whole = /^[0-9a-f]{64}$/.test(of);
  const title = t('bad.title');
  const action = async () => {
    const answer = await say.mutateAsync({
      path: { sha256: of },
      query: { project },
      body: { verdict: 'bad', class: kind, reason: reason.trim() },
    });
    if (!waits(answer, title)) {
      done(t('bad.done'), {
        undoLabel: t('withdraw.button'),
        undo: () => withdraw(of, project, t('bad.undone')),
      });
      onSaid?.(of);
    }
    setReason('');
    setDigest('');
  };
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      danger
      title={title}
      text={hosts === undefined ? t('bad.text') : t('bad.textHosts', { count: hosts })}
      names={whole ? [of] : undefined}
      verb={t('bad.verb')}
      ready={whole && reason.trim() !== ''}
      action={action}
    >
      <div className="ask">
        {sha256 === undefined && (
          <>
            <label htmlFor="bad-sha256">{t('column.sha256')}</label>
            <Input
              id="bad-sha256"
              value={digest}
              maxLength={64}
              spellCheck={false}
              status={digest !== '' && !whole ? 'error' : undefined}
              onChange={(e) => setDigest(e.target.value)}
            />
            {digest !== '' && !whole && <span className="error-text">{t('bad.notWhole')}</span>}
          </>
        )}
        <label htmlFor="bad-class">{t('filter.class')}</label>
        <Select id="bad-class" value={kind} options={options('class', CLASSES)} onChange={(v: Schema<'Class'>) => setKind(v)} />
        <label htmlFor="bad-reason">{t('reason')}</label>
        <TextArea id="bad-reason" least={2} most={6} maxLength={500} value={reason} onChange={(e) => setReason(e.target.value)} />
        <Alert type="info" showIcon title={t('bad.note')} />
      </div>
    </ConfirmDialog>
  );
}
