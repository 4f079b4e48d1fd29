// SPDX-License-Identifier: Apache-2.0
/** Takes a verdict back: servers run the content again, and what was isolated comes back where that is wanted. */
import { Checkbox, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { isHeld } from '@/pages/isolated/words';
import './programs.css';

interface Props {
  open: boolean;
  onClose: () => void;
  of: Schema<'FileItem'>;
  isolated: readonly Schema<'IsolatedItem'>[];
  isolatedTotal: number;
}

export function WithdrawDialog({ open, onClose, of, isolated, isolatedTotal }: Props) {
  const { t } = useTranslation('programs');
  const { done, failed, ordered } = useFeedback();
  const [reason, setReason] = useState('');
  const [restore, setRestore] = useState(true);
  const say = useSend('post', '/api/v1/files/{sha256}/verdict', { changes: ['/api/v1/files', '/api/v1/alarms'] });
  const bring = useSend('post', '/api/v1/isolated-files/restore', { changes: ['/api/v1/isolated-files', '/api/v1/files', '/api/v1/commands'] });
  const held = isolated.filter(isHeld);
  // The page names some of them; the order takes all.
  const total = isolated.length < isolatedTotal ? isolatedTotal : held.length;
  const everywhere = async () => {
    try {
      ordered(await bring.mutateAsync({ body: { sha256: of.sha256, parents: true, restart: true } }), t('withdraw.restored'));
    } catch (e) {
      failed(e, t('withdraw.notRestored'));
    }
  };
  const action = async () => {
    const answer = await say.mutateAsync({
      path: { sha256: of.sha256 },
      query: { project: of.project },
      body: { verdict: 'withdrawn', reason: reason.trim() },
    });
    setReason('');
    const left = 'isolated_total' in answer ? answer.isolated_total : 0;
    if (restore && total > 0) await everywhere();
    // What was isolated meanwhile, or was left alone, can still be brought back.
    else done(t('withdraw.done'), left > 0 && held.length > 0 ? { undoLabel: t('withdraw.restoreAll'), undo: everywhere } : undefined);
  };
  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={t('withdraw.title')}
      text={t('withdraw.text', { count: of.hosts })}
      names={total > 0 ? held.map((i) => `${i.host.name}: ${i.path}`) : [of.sha256]}
      total={total > 0 ? total : undefined}
      verb={t(restore && total > 0 ? 'withdraw.verbRestore' : 'withdraw.verb')}
      ready={reason.trim() !== ''}
      action={action}
    >
      <div className="ask">
        {total > 0 && (
          <Checkbox checked={restore} onChange={(e) => setRestore(e.target.checked)}>
            {t('withdraw.restore', { count: total })}
          </Checkbox>
        )}
        <label htmlFor="withdraw-reason">{t('reason')}</label>
        <Input.TextArea id="withdraw-reason" rows={2} maxLength={500} value={reason} onChange={(e) => setReason(e.target.value)} />
      </div>
    </ConfirmDialog>
  );
}
