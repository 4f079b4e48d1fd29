// SPDX-License-Identifier: Apache-2.0
/** How isolated files come back: to where they were or aside, with what was ended, here or on every server. */
import { Alert, Checkbox, Radio } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { numberText } from '@/parts/numbers';
import { useTakeBack } from './takeBack';
import { HELD_QUERY, type Item } from './words';
import './isolated.css';

interface Props {
  open: boolean;
  onClose: () => void;
  /** Those that can be restored. */
  files: readonly Item[];
  /** Chosen beside them, and left alone. */
  left?: number;
  onDone?: () => void;
}

export function RestoreDialog({ open, onClose, files, left = 0, onDone }: Props) {
  const { t, i18n } = useTranslation('isolated');
  const { ordered } = useFeedback();
  const takeBack = useTakeBack();
  const [released, setReleased] = useState(false);
  const [parents, setParents] = useState(true);
  const [restart, setRestart] = useState(true);
  const [fleet, setFleet] = useState(false);
  const restore = useSend('post', '/api/v1/isolated-files/restore');

  const first = files[0];
  const sha256 = files.length === 1 ? first?.sha256 : undefined;
  // Whether the same content is isolated elsewhere.
  const same = useGet(
    '/api/v1/isolated-files',
    { query: { sha256: sha256 ?? '', status: [...HELD_QUERY], limit: 100 } },
    { enabled: open && Boolean(sha256) },
  );
  const everywhere = sha256 ? (same.data?.total ?? 0) : 0;
  const all = fleet && everywhere > 1;
  const shown = all ? (same.data?.items ?? []) : files;
  const names = shown.map((f) => `${f.host.name}: ${f.path}`);

  const action = async () => {
    const how = { released, parents: !released && parents, restart: !released && restart };
    const body = all && sha256 ? { sha256, ...how } : { files: files.map((f) => f.id), ...how };
    const answer = await restore.mutateAsync({ body });
    ordered(answer, t('restore.ordered'), takeBack(answer));
    onDone?.();
  };

  return (
    <ConfirmDialog
      open={open}
      onClose={onClose}
      title={t('restore.title', { count: all ? everywhere : files.length })}
      text={
        <>
          {t(released ? 'restore.textReleased' : 'restore.text')} {left > 0 && t('left', { count: left })}
        </>
      }
      names={names}
      total={all ? everywhere : files.length}
      verb={t('restore.verb')}
      ready={files.length > 0}
      action={action}
    >
      <div className="ask">
        {everywhere > 1 && (
          <Radio.Group
            aria-label={t('restore.where')}
            value={fleet}
            onChange={(e) => setFleet(e.target.value as boolean)}
            options={[
              { value: false, label: t('restore.thisOne') },
              { value: true, label: t('restore.everywhere', { count: everywhere, number: numberText(everywhere, i18n.language) }) },
            ]}
          />
        )}
        <Radio.Group
          vertical
          aria-label={t('restore.to')}
          value={released}
          onChange={(e) => setReleased(e.target.value as boolean)}
          options={[
            { value: false, label: t('restore.back') },
            { value: true, label: t('restore.released') },
          ]}
        />
        {!released && (
          <>
            <Checkbox checked={parents} onChange={(e) => setParents(e.target.checked)}>
              {t('restore.parents')}
            </Checkbox>
            <Checkbox checked={restart} onChange={(e) => setRestart(e.target.checked)}>
              {t('restore.restart')}
            </Checkbox>
          </>
        )}
        <Alert type="info" showIcon title={t(released ? 'restore.noteReleased' : 'restore.note')} />
      </div>
    </ConfirmDialog>
  );
}
