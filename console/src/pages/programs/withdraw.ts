// SPDX-License-Identifier: Apache-2.0
/** Takes a verdict back without a dialog: the undo of having said one. */
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { useFeedback } from '@/parts/feedback';

export function useWithdraw(): (sha256: string, project: string, reason: string) => Promise<void> {
  const { t } = useTranslation('programs');
  const { done } = useFeedback();
  const say = useSend('post', '/api/v1/files/{sha256}/verdict', { changes: ['/api/v1/files', '/api/v1/alarms'] });
  return async (sha256, project, reason) => {
    await say.mutateAsync({ path: { sha256 }, query: { project }, body: { verdict: 'withdrawn', reason } });
    done(t('withdraw.done'));
  };
}
