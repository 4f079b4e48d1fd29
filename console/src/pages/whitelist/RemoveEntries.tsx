// SPDX-License-Identifier: Apache-2.0
/** Removes entries, and brings back the alarms that they suppressed where that is wanted. */
import { Button, Checkbox } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { useWord } from '@/parts/tags';

type Entry = Schema<'WhitelistEntry'>;

const CHANGES = ['/api/v1/whitelist', '/api/v1/alarms'];

/** The same entry once more: what "undo" gives back. Its hits begin at zero. */
export function again(entry: Entry): Schema<'NewEntry'> {
  return {
    project: entry.project,
    scope: entry.scope as Schema<'WhitelistScope'>,
    ...(entry.scope_id ? { scope_id: entry.scope_id } : {}),
    field: entry.field as Schema<'WhitelistField'>,
    judge: entry.judge as Schema<'Judge'>,
    ...(entry.value_b64 ? { value_b64: entry.value_b64 } : { value: entry.value }),
    ...(entry.sha256 ? { sha256: entry.sha256 } : {}),
    any_content: entry.any_content,
    ...(entry.class ? { class: entry.class as Schema<'Class'> } : {}),
    description: entry.description,
    owner: entry.owner,
    ...(entry.expires_at && !entry.expired ? { expires_at: entry.expires_at } : {}),
    ...(entry.alarm ? { alarm: entry.alarm } : {}),
  };
}

export function RemoveEntries({ entries, onDone, small }: { entries: Entry[]; onDone?: () => void; small?: boolean }) {
  const { t } = useTranslation('whitelist');
  const word = useWord();
  const { done } = useFeedback();
  const [open, setOpen] = useState(false);
  const [back, setBack] = useState(true);
  const remove = useSend('post', '/api/v1/whitelist/delete', { changes: CHANGES });
  const add = useSend('post', '/api/v1/whitelist', { changes: CHANGES });
  return (
    <>
      <Button danger size={small ? 'small' : undefined} disabled={entries.length === 0} onClick={() => setOpen(true)}>
        {t('remove.button')}
      </Button>
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        danger
        title={t('remove.title', { count: entries.length })}
        text={t('remove.text')}
        names={entries.map((e) => `${word('whitelistField', e.field)} ${word('judge', e.judge)} ${e.value}`)}
        verb={t('remove.button')}
        action={async () => {
          const kept = entries.map(again);
          const answer = await remove.mutateAsync({ body: { entries: entries.map((e) => e.id), restore_alarm: back } });
          done(t('remove.done', { count: answer.entries, alarms: answer.alarms }), {
            undo: async () => {
              for (const body of kept) await add.mutateAsync({ body });
            },
          });
          onDone?.();
        }}
      >
        <Checkbox checked={back} onChange={(e) => setBack(e.target.checked)}>
          {t('remove.restore')}
        </Checkbox>
        <p className="quiet">{t('remove.restoreHint')}</p>
      </ConfirmDialog>
    </>
  );
}
