// SPDX-License-Identifier: Apache-2.0
/** What people can do with a content: call it bad, take that back, go beyond the canary servers, scan again. */
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { RescanButton } from './RescanButton';
import { SampleDownload } from './SampleDownload';
import { SayBad } from './SayBad';
import { WithdrawDialog } from './WithdrawDialog';

export function ProgramActions({ of }: { of: Schema<'FilePage'> }) {
  const { t } = useTranslation('programs');
  const can = useCan();
  const { done, waits } = useFeedback();
  const [open, setOpen] = useState<'bad' | 'withdraw' | null>(null);
  const release = useSend('post', '/api/v1/files/{sha256}/release', { changes: ['/api/v1/files', '/api/v1/alarms'] });
  const { file: f, sample } = of;
  const verdict = of.verdict && !of.verdict.withdrawn ? of.verdict : null;
  const canary = verdict?.act === 'canary' && !verdict.released_at;
  const close = () => setOpen(null);
  return (
    <>
      {can('administer', f.project) && (
        <>
          {canary && (
            <ConfirmAction
              label={t('release.button')}
              button={{ type: 'primary' }}
              danger
              title={t('release.title')}
              text={t('release.text', { count: f.hosts })}
              names={[f.sha256]}
              verb={t('release.verb')}
              action={async () => {
                const answer = await release.mutateAsync({ path: { sha256: f.sha256 }, query: { project: f.project } });
                if (!waits(answer, t('release.title'))) done(t('release.done'));
              }}
            />
          )}
          {verdict ? (
            <Button onClick={() => setOpen('withdraw')}>{t('withdraw.button')}</Button>
          ) : (
            <Button danger onClick={() => setOpen('bad')}>
              {t('bad.button')}
            </Button>
          )}
          <SayBad open={open === 'bad'} onClose={close} project={f.project} sha256={f.sha256} hosts={f.hosts} />
          <WithdrawDialog open={open === 'withdraw'} onClose={close} of={f} isolated={of.isolated} isolatedTotal={of.isolated_total} />
        </>
      )}
      {sample && can('operate', f.project) && <RescanButton project={f.project} files={[f.sha256]} />}
      {sample?.state === 'stored' && can('download', f.project) && (
        <SampleDownload sha256={f.sha256} project={f.project} bytes={sample.size} />
      )}
    </>
  );
}
