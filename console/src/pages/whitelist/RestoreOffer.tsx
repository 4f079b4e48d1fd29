// SPDX-License-Identifier: Apache-2.0
/** After a new entry: what is isolated that it would have let be, to be brought back. */
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';

export function RestoreOffer({ added, onClose }: { added: Schema<'Added'>; onClose: () => void }) {
  const { t } = useTranslation('whitelist');
  const { ordered } = useFeedback();
  const restore = useSend('post', '/api/v1/isolated-files/restore', { changes: ['/api/v1/isolated-files', '/api/v1/alarms'] });
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t('offer.title')}
      text={added.isolated_more ? t('offer.more', { count: added.isolated.length }) : t('offer.text', { count: added.isolated.length })}
      names={added.isolated.map((f) => `${f.host.name}: ${f.path}`)}
      verb={t('offer.verb')}
      action={async () => {
        const answer = await restore.mutateAsync({ body: { files: added.isolated.map((f) => f.id) } });
        ordered(answer, t('offer.done', { count: answer.total }));
      }}
    />
  );
}
