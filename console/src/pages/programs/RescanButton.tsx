// SPDX-License-Identifier: Apache-2.0
/** Lets the deep scan look again at samples; says what was queued and what was not, and why. */
import { Button, type ButtonProps } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { useFeedback } from '@/parts/feedback';

interface Props {
  project: string;
  files: readonly string[];
  onDone?: () => void;
  button?: ButtonProps;
}

export function RescanButton({ project, files, onDone, button }: Props) {
  const { t } = useTranslation('programs');
  const { done, failed } = useFeedback();
  const [busy, setBusy] = useState(false);
  const rescan = useSend('post', '/api/v1/files/{sha256}/rescan', { changes: ['/api/v1/files', '/api/v1/deep-scans'] });
  const run = async () => {
    setBusy(true);
    let queued = 0;
    let under = 0;
    const refused: unknown[] = [];
    for (const sha256 of files) {
      try {
        const said = await rescan.mutateAsync({ path: { sha256 }, query: { project } });
        if (said.queued) queued += 1;
        else under += 1;
      } catch (e) {
        refused.push(e);
      }
    }
    setBusy(false);
    if (queued > 0) done(t('rescan.queued', { count: queued }));
    else if (under > 0) done(t('rescan.already'));
    if (refused.length > 0) failed(refused[0], files.length > 1 ? t('rescan.refused', { count: refused.length }) : undefined);
    onDone?.();
  };
  return (
    <Button {...button} loading={busy} onClick={() => void run()}>
      {t('rescan.button')}
    </Button>
  );
}
