// SPDX-License-Identifier: Apache-2.0
/** Pauses a scan, lets it go on, ends it. */
import { Button, type ButtonProps } from 'antd';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';

const CHANGES = ['/api/v1/scan-tasks', '/api/v1/commands', '/api/v1/tasks'];

export function ScanActions({ of, hosts, size }: { of: Schema<'ScanTask'>; hosts?: number; size?: ButtonProps['size'] }) {
  const { t } = useTranslation('scans');
  const can = useCan();
  const { done, failed, ordered } = useFeedback();
  const pause = useSend('post', '/api/v1/scan-tasks/{id}/pause', { changes: CHANGES });
  const resume = useSend('post', '/api/v1/scan-tasks/{id}/resume', { changes: CHANGES });
  const cancel = useSend('post', '/api/v1/scan-tasks/{id}/cancel', { changes: CHANGES });
  if (!can('operate', of.project) || of.task_status === 'finish') return null;
  const path = { id: of.id };
  const paused = of.task_status === 'paused';
  const goOn = async () => ordered(await resume.mutateAsync({ path }), t('resume.ordered'));
  const halt = async () => ordered(await pause.mutateAsync({ path }), t('pause.ordered'), { undoLabel: t('resume.button'), undo: goOn });
  return (
    <>
      <Button
        size={size}
        loading={pause.isPending || resume.isPending}
        onClick={() => void (paused ? goOn() : halt()).catch((e: unknown) => failed(e))}
      >
        {t(paused ? 'resume.button' : 'pause.button')}
      </Button>
      <ConfirmAction
        label={t('cancel.button')}
        button={{ size }}
        danger
        title={t('cancel.title')}
        text={hosts === undefined ? t('cancel.text') : t('cancel.textHosts', { count: hosts })}
        names={[of.name]}
        verb={t('cancel.verb')}
        action={async () => {
          await cancel.mutateAsync({ path });
          done(t('cancel.done'));
        }}
      />
    </>
  );
}
