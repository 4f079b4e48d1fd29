// SPDX-License-Identifier: Apache-2.0
/** Lets a server test its protection, and shows each step as soon as it has answered. */
import { CheckOutlined, CloseOutlined, MinusOutlined } from '@ant-design/icons';
import { Alert, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useFeedback } from '@/parts/feedback';
import { HostText, safeText } from '@/parts/FileName';
import { numberText } from '@/parts/numbers';
import { TaskLink } from '@/parts/orders';
import { Panel } from '@/parts/Page';
import { Status } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Host = Schema<'Host'>;
type Step = Schema<'SelfTestStep'>;
const OPEN = ['pending', 'sent'];

export function SelfTestPanel({ host }: { host: Host }) {
  const { t } = useTranslation('hosts');
  const can = useCan();
  const { ordered, failed } = useFeedback();
  const [refused, setRefused] = useState<string | null>(null);
  const last = useGet(
    '/api/v1/commands',
    { query: { host: host.id, verb: ['self_test'], limit: 1 } },
    // Changes come by the stream; the clock is for when it is broken.
    { refetchInterval: (q) => (OPEN.includes(q.state.data?.items[0]?.state ?? '') ? 2000 : false) },
  );
  const begin = useSend('post', '/api/v1/hosts/{id}/self-test', { changes: ['/api/v1/commands', '/api/v1/hosts'] });
  const command = last.data?.items[0];
  const running = begin.isPending || OPEN.includes(command?.state ?? '');

  const start = async () => {
    setRefused(null);
    try {
      const answer = await begin.mutateAsync({ path: { id: host.id } });
      const [no] = answer.refused;
      if (no) setRefused(no.reason);
      else ordered(answer, t('selfTest.ordered', { name: safeText(host.name) }));
    } catch (e) {
      failed(e);
    }
  };

  return (
    <Panel
      title={t('selfTest.title')}
      extra={
        can('operate', host.project) &&
        !host.removed && (
          <Button size="small" loading={running} onClick={() => void start()}>
            {running ? t('selfTest.running') : t('selfTest.start')}
          </Button>
        )
      }
    >
      <div aria-live="polite" data-part="self-test">
        {refused && <Alert type="warning" showIcon title={<HostText text={refused} />} />}
        {!command && !refused && <p className="quiet">{t('selfTest.about')}</p>}
        {command && (
          <>
            <span className="host-state">
              <Status kind="commandState" value={command.state} />
              <Time at={command.finished_at ?? command.created_at} />
              <span className="quiet">{t('selfTest.by')} <HostText text={command.ordered_by} /></span>
              {command.task && <TaskLink id={command.task}>{t('selfTest.order')}</TaskLink>}
            </span>
            {OPEN.includes(command.state) && host.status !== 'online' && <p className="quiet">{t('selfTest.later')}</p>}
            {command.result?.reason && <p className="quiet"><HostText text={command.result.reason} /></p>}
            <Steps steps={command.result?.self_test ?? []} />
          </>
        )}
      </div>
    </Panel>
  );
}

function Steps({ steps }: { steps: readonly Step[] }) {
  const { t, i18n } = useTranslation('hosts');
  if (steps.length === 0) return null;
  const good = steps.filter((s) => s.ok && !s.skipped).length;
  const skipped = steps.filter((s) => s.skipped).length;
  return (
    <>
      <p className="quiet">{t('selfTest.sum', { good, all: steps.length - skipped, skipped })}</p>
      <ul className="steps">
        {steps.map((s, i) => {
          const [look, icon] = s.skipped
            ? ['step-skipped', <MinusOutlined key="i" aria-label={t('selfTest.skipped')} />]
            : s.ok
              ? ['step-ok', <CheckOutlined key="i" aria-label={t('selfTest.good')} />]
              : ['step-bad', <CloseOutlined key="i" aria-label={t('selfTest.bad')} />];
          return (
            <li key={i}>
              <span className={look as string}>{icon}</span>
              <HostText text={s.name} />
              <span className="step-detail"><HostText text={s.detail} /></span>
              <span className="quiet">{s.micros > 0 ? t('selfTest.ms', { ms: numberText(Math.round(s.micros / 1000), i18n.language) }) : ''}</span>
            </li>
          );
        })}
      </ul>
    </>
  );
}
