// SPDX-License-Identifier: Apache-2.0
/** What can be done with one isolated file. */
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { useCan } from '@/app/permissions';
import { useFeedback } from '@/parts/feedback';
import { SampleDownload } from '@/pages/programs/SampleDownload';
import { DeleteDialog } from './DeleteDialog';
import { FalsePositive } from './FalsePositive';
import { RestoreDialog } from './RestoreDialog';
import { useTakeBack } from './takeBack';
import { isHeld, type Item } from './words';

export function Actions({ of, size }: { of: Item; size?: 'small' }) {
  const { t } = useTranslation('isolated');
  const can = useCan();
  const { ordered, failed } = useFeedback();
  const takeBack = useTakeBack();
  const [open, setOpen] = useState<'restore' | 'delete' | null>(null);
  const verify = useSend('post', '/api/v1/isolated-files/{id}/verify', { changes: ['/api/v1/commands', '/api/v1/isolated-files'] });
  const held = isHeld(of);
  const close = () => setOpen(null);
  const check = () =>
    verify.mutateAsync({ path: { id: of.id } }).then(
      (answer) => ordered(answer, t('verify.ordered'), takeBack(answer)),
      (e: unknown) => failed(e),
    );
  const why = held ? undefined : t('noneHeld');
  return (
    <>
      {can('operate', of.project) && (
        <>
          <Button size={size} type="primary" disabled={!held} title={why} onClick={() => setOpen('restore')}>
            {t('restore.button')}
          </Button>
          <Button size={size} disabled={!held} title={why} loading={verify.isPending} onClick={() => void check()}>
            {t('verify.button')}
          </Button>
          <Button size={size} danger disabled={!held} title={why} onClick={() => setOpen('delete')}>
            {t('delete.button')}
          </Button>
          <RestoreDialog open={open === 'restore'} onClose={close} files={held ? [of] : []} />
          <DeleteDialog open={open === 'delete'} onClose={close} files={held ? [of] : []} />
        </>
      )}
      {of.alarm && can('administer', of.project) && held && <FalsePositive alarm={of.alarm} size={size} />}
      {of.sha256 && can('download', of.project) && <Sample sha256={of.sha256} project={of.project} size={size} />}
    </>
  );
}

/** Only where the server has a sample of it: a vault gives nothing away. */
function Sample({ sha256, project, size }: { sha256: string; project: string; size?: 'small' }) {
  const found = useGet('/api/v1/files/{sha256}', { path: { sha256 }, query: { project } }, { retry: false });
  const sample = found.data?.sample;
  if (sample?.state !== 'stored') return null;
  return <SampleDownload sha256={sha256} project={project} bytes={sample.size} button={{ size }} />;
}
