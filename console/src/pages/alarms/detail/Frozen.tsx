// SPDX-License-Identifier: Apache-2.0
/** While processes are frozen: how long still, and the two ways out. */
import { Alert, Button, Input } from 'antd';
import { useEffect, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { useCan } from '@/app/permissions';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { HANDLING_CHANGES } from '../handle/useHandle';
import type { AlarmRow } from '../handle/verbs';

/** Seconds until then; 0 when it is over. Ticks only while there is something to count. */
export function useSecondsLeft(until: string | null | undefined): number {
  const end = until ? Date.parse(until) : 0;
  const [now, setNow] = useState(() => Date.now());
  const left = Math.max(0, Math.ceil((end - now) / 1000));
  useEffect(() => {
    if (left === 0) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [left]);
  return left;
}

export function Frozen({ row, until, onHandle }: { row: AlarmRow; until: string | null | undefined; onHandle: () => void }) {
  const { t } = useTranslation('alarms');
  const can = useCan();
  const { ordered } = useFeedback();
  const id = useId();
  const left = useSecondsLeft(until);
  const [open, setOpen] = useState(false);
  const [remark, setRemark] = useState('');
  const thaw = useSend('post', '/api/v1/alarms/{id}/thaw', { changes: HANDLING_CHANGES });
  if (left === 0 && !open) return null;
  const may = can('operate', row.project);
  return (
    <>
      <Alert
        className="frozen"
        type="warning"
        showIcon
        title={t('frozen.title', { count: left })}
        description={t('frozen.text')}
        action={
          may && (
            <span className="tags">
              <Button size="small" type="primary" onClick={() => setOpen(true)}>
                {t('frozen.thaw')}
              </Button>
              <Button size="small" danger onClick={onHandle}>
                {t('frozen.kill')}
              </Button>
            </span>
          )
        }
      />
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        title={t('frozen.thaw')}
        text={left > 0 ? t('frozen.left', { count: left }) : t('frozen.over')}
        names={[`${row.host.name}: ${row.path ?? row.title}`]}
        verb={t('frozen.thaw')}
        action={async () => ordered(await thaw.mutateAsync({ path: { id: row.id }, body: { remark: remark.trim() } }), t('frozen.done'))}
      >
        <label htmlFor={id}>{t('handle.remark')}</label>
        <Input id={id} value={remark} maxLength={512} onChange={(e) => setRemark(e.target.value)} />
      </ConfirmDialog>
    </>
  );
}
