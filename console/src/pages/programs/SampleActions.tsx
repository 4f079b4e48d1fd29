// SPDX-License-Identifier: Apache-2.0
/** Legal hold of samples, and deleting them for good. */
import { Input, type ButtonProps } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import './programs.css';

type Sample = Schema<'Sample'>;
const CHANGES = ['/api/v1/samples', '/api/v1/files', '/api/v1/deep-scans'];

interface Props {
  of: Sample;
  size?: ButtonProps['size'];
}

export function isThere(s: Sample): boolean {
  return s.state !== 'deleted' && s.state !== 'deleting';
}

export function Hold({ of: s, size = 'small' }: Props) {
  const { t } = useTranslation('programs');
  const can = useCan();
  const { done } = useFeedback();
  const [reason, setReason] = useState('');
  const hold = useSend('put', '/api/v1/samples/{sha256}/hold', { changes: CHANGES });
  if (!can('administer', s.project) || !isThere(s)) return null;
  const held = Boolean(s.hold);
  const put = (on: boolean, why: string) =>
    hold.mutateAsync({ path: { sha256: s.sha256 }, query: { project: s.project }, body: on ? { held: true, reason: why } : { held: false } });
  const word = held ? 'unhold' : 'hold';
  const before = s.hold?.reason ?? '';
  return (
    <ConfirmAction
      label={t(`holding.${word}.button`)}
      button={{ size }}
      title={t(`holding.${word}.title`)}
      text={t(`holding.${word}.text`)}
      names={[s.sha256]}
      verb={t(`holding.${word}.verb`)}
      ready={held || reason.trim() !== ''}
      action={async () => {
        await put(!held, reason.trim());
        done(t(`holding.${word}.done`), { undo: () => put(held, before) });
        setReason('');
      }}
    >
      {!held && (
        <div className="ask">
          <label htmlFor={`hold-${s.sha256}`}>{t('reason')}</label>
          <Input id={`hold-${s.sha256}`} maxLength={500} value={reason} onChange={(e) => setReason(e.target.value)} />
        </div>
      )}
    </ConfirmAction>
  );
}

export function DeleteSample({ of: s, size = 'small' }: Props) {
  const { t } = useTranslation('programs');
  const can = useCan();
  const { done } = useFeedback();
  const remove = useSend('delete', '/api/v1/samples/{sha256}', { changes: CHANGES });
  if (!can('administer', s.project) || !isThere(s)) return null;
  return (
    <ConfirmAction
      label={t('deleteSample.button')}
      button={{ size, disabled: Boolean(s.hold), title: s.hold ? t('deleteSample.held') : undefined }}
      danger
      title={t('deleteSample.title', { count: 1 })}
      text={t('deleteSample.text')}
      names={[s.sha256]}
      verb={t('deleteSample.verb')}
      action={async () => {
        await remove.mutateAsync({ path: { sha256: s.sha256 }, query: { project: s.project } });
        done(t('deleteSample.done', { count: 1 }));
      }}
    />
  );
}

/** Several at once: those under legal hold and those that are gone are left alone. */
export function DeleteSamples({ chosen, onDone }: { chosen: readonly Sample[]; onDone: () => void }) {
  const { t } = useTranslation('programs');
  const { done, failed } = useFeedback();
  const remove = useSend('delete', '/api/v1/samples/{sha256}', { changes: CHANGES });
  const some = chosen.filter((s) => isThere(s) && !s.hold);
  const left = chosen.length - some.length;
  return (
    <ConfirmAction
      label={t('deleteSample.button')}
      button={{ size: 'small', disabled: some.length === 0, title: some.length === 0 ? t('deleteSample.noneFree') : undefined }}
      danger
      title={t('deleteSample.title', { count: some.length })}
      text={
        <>
          {t('deleteSample.text')} {left > 0 && t('deleteSample.left', { count: left })}
        </>
      }
      names={some.map((s) => s.sha256)}
      verb={t('deleteSample.verb')}
      action={async () => {
        let gone = 0;
        const refused: unknown[] = [];
        for (const s of some) {
          try {
            await remove.mutateAsync({ path: { sha256: s.sha256 }, query: { project: s.project } });
            gone += 1;
          } catch (e) {
            refused.push(e);
          }
        }
        if (gone > 0) done(t('deleteSample.done', { count: gone }));
        if (refused.length > 0) failed(refused[0]);
        onDone();
      }}
    />
  );
}
