// SPDX-License-Identifier: Apache-2.0
/** Takes a verdict back: servers run the content again, and what was isolated comes back where that is wanted. */
import { Checkbox } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { TextArea } from '@/parts/TextArea';
import { isHeld } from '@/pages/isolated/words';
import './programs.css';

/** Files of one order. */
const AT_ONCE = 100;

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
  // The page names some of them; all come back.
  const total = isolated.length < isolatedTotal ? isolatedTotal : held.length;
  // By their ids: an order by digest would go beyond this project.
  const everywhere = async (ids: string[]) => {
    try {
      for (let from = 0; from < ids.length; from += AT_ONCE) {
        const files = ids.slice(from, from + AT_ONCE);
        ordered(await bring.mutateAsync({ body: { files, parents: true, restart: true } }), t('withdraw.restored'));
      }
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
    // What the server says now: more may have been isolated meanwhile.
    const ids = 'isolated' in answer ? answer.isolated.map((i) => i.id) : [];
    if (restore && ids.length > 0) await everywhere(ids);
    else done(t('withdraw.done'), ids.length > 0 ? { undoLabel: t('withdraw.restoreAll'), undo: () => everywhere(ids) } : undefined);
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
        <TextArea id="withdraw-reason" least={2} most={6} maxLength={500} value={reason} onChange={(e) => setReason(e.target.value)} />
      </div>
    </ConfirmDialog>
  );
}
