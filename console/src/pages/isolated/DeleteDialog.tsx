// SPDX-License-Identifier: Apache-2.0
/** Deletes isolated files for good: nothing brings them back. */
import { Checkbox } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { useTakeBack } from './takeBack';
import type { Item } from './words';
import './isolated.css';

interface Props {
  open: boolean;
  onClose: () => void;
  files: readonly Item[];
  left?: number;
  onDone?: () => void;
}

export function DeleteDialog({ open, onClose, files, left = 0, onDone }: Props) {
  const { t } = useTranslation('isolated');
  const { ordered } = useFeedback();
  const takeBack = useTakeBack();
  const [sure, setSure] = useState(false);
  const remove = useSend('post', '/api/v1/isolated-files/delete');
  const close = () => {
    setSure(false);
    onClose();
  };
  return (
    <ConfirmDialog
      open={open}
      onClose={close}
      danger
      title={t('delete.title', { count: files.length })}
      text={
        <>
          {t('delete.text')} {left > 0 && t('left', { count: left })}
        </>
      }
      names={files.map((f) => `${f.host.name}: ${f.path}`)}
      verb={t('delete.verb')}
      ready={sure && files.length > 0}
      action={async () => {
        const answer = await remove.mutateAsync({ body: { files: files.map((f) => f.id) } });
        ordered(answer, t('delete.ordered'), takeBack(answer));
        onDone?.();
      }}
    >
      <div className="ask">
        <Checkbox checked={sure} onChange={(e) => setSure(e.target.checked)}>
          {t('delete.sure')}
        </Checkbox>
      </div>
    </ConfirmDialog>
  );
}
