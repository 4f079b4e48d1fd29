// SPDX-License-Identifier: Apache-2.0
/** A scan that begins now. */
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { useFeedback } from '@/parts/feedback';
import { timeText } from '@/parts/Time';
import { EMPTY, settingsOf, type Fields } from './plan';
import { ScanForm } from './ScanForm';

export function NewScan({ from }: { from?: Fields }) {
  const { t } = useTranslation('scans');
  const can = useCan();
  const navigate = useNavigate();
  const { done } = useFeedback();
  const { project } = useProject();
  const [open, setOpen] = useState(false);
  const begin = useSend('post', '/api/v1/scan-tasks', { changes: ['/api/v1/scan-tasks'] });
  const cancel = useSend('post', '/api/v1/scan-tasks/{id}/cancel', { changes: ['/api/v1/scan-tasks'] });
  if (!can('operate')) return null;
  const initial: Fields = from ?? { ...EMPTY, project: project ?? EMPTY.project, name: t('newName', { at: timeText(new Date()) }) };
  const submit = async (f: Fields) => {
    const task = await begin.mutateAsync({ body: { name: f.name, project: f.project, settings: settingsOf(f) } });
    done(t('begun'), { undoLabel: t('cancel.button'), undo: () => cancel.mutateAsync({ path: { id: task.id } }) });
    void navigate({ to: '/scans/$id', params: { id: task.id } });
  };
  return (
    <>
      <Button type={from ? 'default' : 'primary'} onClick={() => setOpen(true)}>
        {t('new')}
      </Button>
      {open && <ScanForm title={t('new')} verb={t('begin')} initial={initial} onSubmit={submit} onClose={() => setOpen(false)} />}
    </>
  );
}
