// SPDX-License-Identifier: Apache-2.0
/** All that is known of an alarm: the same on its own page and in the drawer beside the list. */
import { Link } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { FileName, HostText } from '@/parts/FileName';
import { JsonView } from '@/parts/JsonView';
import { HostLink, ListLink } from '@/parts/links';
import { Facts, Panel } from '@/parts/Page';
import { Severity, Status, Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { useAdvice } from './detail/advice';
import { Confidence } from './detail/Confidence';
import { AttackFacts, ContainerFacts, FileFacts, NetworkFacts, UserFacts } from './detail/Forensics';
import { Frozen } from './detail/Frozen';
import { Persistence } from './detail/Persistence';
import { ProcessTree } from './detail/ProcessTree';
import { Related } from './detail/Related';
import { Story, Who } from './detail/Story';
import { FalsePositiveButton } from './FalsePositive';
import { HandleDialog } from './handle/HandleDialog';
import type { Verb } from './handle/verbs';
import './alarms.css';

type AlarmFull = Schema<'AlarmFull'>;

export function AlarmTags({ row }: { row: Schema<'AlarmItem'> }) {
  const { t } = useTranslation('alarms');
  return (
    <span className="tags">
      <Severity value={row.severity} />
      <Status kind="handleStatus" value={row.handle_status} />
      {row.test && <Tag tone="low">{t('tag.test')}</Tag>}
      {row.auto_block && <Tag tone="good">{t('tag.auto')}</Tag>}
      {row.suppressed_by && <Tag tone="quiet">{t('tag.suppressed')}</Tag>}
    </span>
  );
}

export function AlarmActions({ full }: { full: AlarmFull }) {
  const { t } = useTranslation('alarms');
  const can = useCan();
  const { ordered } = useFeedback();
  const [open, setOpen] = useState(false);
  const { summary, alarm } = full;
  const collect = useSend('post', '/api/v1/alarms/{id}/collect-sample', { changes: ['/api/v1/alarms', '/api/v1/samples', '/api/v1/tasks'] });
  if (!can('operate', summary.project)) return null;
  return (
    <>
      <Button type="primary" onClick={() => setOpen(true)}>
        {t('handle.button')}
      </Button>
      {summary.sha256 && <FalsePositiveButton alarm={summary.id} project={summary.project} />}
      {alarm?.file && (
        <ConfirmAction
          label={t('sample.button')}
          title={t('sample.title')}
          text={t('sample.text')}
          names={[`${summary.host.name}: ${summary.path ?? ''}`]}
          verb={t('sample.verb')}
          action={async () => ordered(await collect.mutateAsync({ path: { id: summary.id }, body: {} }), t('sample.done'))}
        />
      )}
      {open && <HandleDialog alarms={[summary]} exe={alarm?.chain[0]} onClose={() => setOpen(false)} />}
    </>
  );
}

export function AlarmView({ full }: { full: AlarmFull }) {
  const { t } = useTranslation('alarms');
  const word = useWord();
  const advice = useAdvice(full.recommendation);
  const [verb, setVerb] = useState<Verb | null>(null);
  const { summary, alarm } = full;
  const family = alarm?.verdict?.family;
  return (
    <div className="alarm">
      <Frozen row={summary} until={alarm?.frozen_until} onHandle={() => setVerb('isolate_and_kill')} />
      <Panel>
        <p className="advice">
          <strong>{t('advice.title')}</strong> {advice}
        </p>
        <Facts
          of={[
            [t('fact.host'), <HostLink key="h" host={summary.host} />],
            [t('fact.path'), <FileName key="p" name={summary.path} bytes={summary.path_b64} copy />],
            [t('fact.class'), [word('class', summary.class), family].filter(Boolean).join(' / ')],
            [t('fact.origin'), t(`origin.${summary.origin}`, { defaultValue: summary.origin })],
            [t('fact.decision'), word('decision', summary.decision)],
            [t('fact.count'), summary.count],
            [t('fact.first'), <Time key="f" at={summary.at} />],
            [t('fact.last'), <Time key="l" at={summary.last} />],
            [t('fact.received'), <Time key="r" at={summary.received_at} />],
            [
              t('fact.handled'),
              summary.handled ? (
                <span key="d">
                  {word('verb', summary.handled.by)} (<Who name={summary.handled.who} />)
                  {summary.handled.remark && (
                    <div className="quiet">
                      <HostText text={summary.handled.remark} />
                    </div>
                  )}
                </span>
              ) : null,
            ],
            [
              t('fact.isolated'),
              summary.isolated ? (
                <Link key="i" to="/isolated/$id" params={{ id: summary.isolated }}>
                  {t('fact.toIsolated')}
                </Link>
              ) : null,
            ],
            [t('fact.project'), <HostText key="j" text={summary.project} />],
            ...(summary.suppressed_by
              ? [
                  [
                    t('fact.suppressed'),
                    <Link key="s" to="/whitelist/$id" params={{ id: summary.suppressed_by }}>
                      {t('fact.toEntry')}
                    </Link>,
                  ] as [string, React.ReactNode],
                ]
              : []),
          ]}
        />
        {alarm && alarm.reasons.length > 0 && (
          <div className="reasons">
            <strong>{t('fact.reasons')}</strong>
            <ul className="plain-list">
              {alarm.reasons.map((r, i) => (
                <li key={i}>
                  <HostText text={r} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {summary.not_included.length > 0 && (
          <div className="reasons">
            <strong>{t('fact.notIncluded')}</strong>
            <ul className="plain-list">
              {summary.not_included.map((r, i) => (
                <li key={i}>
                  <HostText text={r} />
                </li>
              ))}
            </ul>
          </div>
        )}
        {summary.sha256 && (
          <p className="alarm-links">
            <ListLink to="/handlings" search={{ alarm: summary.id }}>
              {t('link.handlings')}
            </ListLink>
            <ListLink to="/alarms" search={{ host: summary.host.id }}>
              {t('link.host')}
            </ListLink>
            <Link to="/programs/$id" params={{ id: summary.sha256 }} search={(s: Record<string, unknown>) => ({ ...s, project: summary.project })}>
              {t('link.program')}
            </Link>
          </p>
        )}
      </Panel>
      {alarm?.verdict && <Confidence row={summary} verdict={alarm.verdict} />}
      <Story full={full} />
      {alarm && <ProcessTree chain={alarm.chain} />}
      <FileFacts full={full} />
      <div className="panels">
        <UserFacts full={full} />
        <NetworkFacts full={full} />
        <ContainerFacts full={full} />
        <AttackFacts full={full} />
      </div>
      {alarm?.persistence && <Persistence of={alarm.persistence} />}
      <Related row={summary} />
      <Panel>
        <details>
          <summary>{t('alarm.raw')}</summary>
          <JsonView value={full} label={t('alarm.raw')} />
        </details>
      </Panel>
      {verb && <HandleDialog alarms={[summary]} verb={verb} exe={alarm?.chain[0]} onClose={() => setVerb(null)} />}
    </div>
  );
}
