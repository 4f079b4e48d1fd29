// SPDX-License-Identifier: Apache-2.0
/** What can be done with the alarms that are chosen. */
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCan } from '@/app/permissions';
import { useWord } from '@/parts/tags';
import { HandleDialog } from './HandleDialog';
import { fits, isDangerous, type AlarmRow, type Verb } from './verbs';

const QUICK: readonly Verb[] = ['mark_as_handled', 'ignore', 'isolate_and_kill'];

export function BatchBar({ chosen, clear }: { chosen: AlarmRow[]; clear: () => void }) {
  const { t } = useTranslation('alarms');
  const word = useWord();
  const can = useCan();
  const [verb, setVerb] = useState<Verb | 'any' | null>(null);
  const mine = chosen.filter((a) => can('operate', a.project));
  return (
    <>
      <Button size="small" type="primary" disabled={mine.length === 0} onClick={() => setVerb('any')}>
        {t('handle.button')}
      </Button>
      {QUICK.map((v) => (
        <Button key={v} size="small" danger={isDangerous(v)} disabled={!mine.some((a) => fits(a, v))} onClick={() => setVerb(v)}>
          {word('verb', v)}
        </Button>
      ))}
      {mine.length < chosen.length && <span className="quiet">{t('handle.notMine', { count: chosen.length - mine.length })}</span>}
      {verb && <HandleDialog alarms={mine} verb={verb === 'any' ? undefined : verb} onClose={() => setVerb(null)} onDone={clear} />}
    </>
  );
}
