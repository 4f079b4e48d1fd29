// SPDX-License-Identifier: Apache-2.0
/** What was done and when, each with its time. */
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { ReactNode } from 'react';
import type { Schema } from '@/api/types';
import { FileName, HostText } from '@/parts/FileName';
import { Panel } from '@/parts/Page';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { sinceText, storyOf, type Moment } from './story';

type Tone = 'high' | 'medium' | 'low' | 'good' | 'quiet';

const OUTCOME: Record<string, Tone> = { done: 'good', partial: 'medium', already_gone: 'quiet', refused: 'medium', failed: 'high' };
const STATE: Record<string, Tone> = { done: 'good', partial: 'medium', refused: 'medium', failed: 'high' };

export function Story({ full }: { full: Schema<'AlarmFull'> }) {
  const { t } = useTranslation('alarms');
  const moments = storyOf(full);
  return (
    <Panel title={t('story.title')}>
      <ol className="story">
        {moments.map((m, i) => (
          <li key={i} className={`story-${m.kind}`}>
            <span className="story-when">
              <Time at={m.at} />
              <span className="quiet">{i > 0 && sinceText(m.at, full.summary.at)}</span>
            </span>
            <span className="story-what">
              <What of={m} />
            </span>
          </li>
        ))}
      </ol>
      {full.alarm && full.alarm.timeline.length === 0 && <p className="quiet">{t('story.nothing')}</p>}
    </Panel>
  );
}

function What({ of }: { of: Moment }): ReactNode {
  const { t } = useTranslation('alarms');
  const word = useWord();
  switch (of.kind) {
    case 'seen':
      return (
        <>
          <strong>{t('story.seen')}</strong> {t(`origin.${of.origin}`, { defaultValue: of.origin })}
        </>
      );
    case 'again':
      return t('story.again', { count: of.count });
    case 'action':
      return (
        <>
          <strong>{word('action', of.action)}</strong> <Tag tone={OUTCOME[of.outcome] ?? 'quiet'}>{word('outcome', of.outcome)}</Tag>{' '}
          <FileName name={of.target} />
          {of.reason && (
            <div className="quiet">
              <HostText text={of.reason} />
            </div>
          )}
        </>
      );
    case 'window':
      return <strong>{t('story.window')}</strong>;
    case 'handled':
      return (
        <>
          <strong>{word('verb', of.verb)}</strong> {t('story.by')} <Who name={of.who} />
          {of.remark && (
            <div className="quiet">
              <HostText text={of.remark} />
            </div>
          )}
        </>
      );
    case 'ordered':
      return (
        <>
          {t('story.ordered')} <strong>{word('orderVerb', of.verb)}</strong> {t('story.by')} <Who name={of.who} />
        </>
      );
    case 'answered':
      return (
        <>
          {t('story.answered')} {word('orderVerb', of.verb)} <Tag tone={STATE[of.state] ?? 'quiet'}>{word('commandState', of.state)}</Tag>
          {of.reason && (
            <div className="quiet">
              <HostText text={of.reason} />
            </div>
          )}
        </>
      );
    default:
      return (
        <>
          <strong>{t('story.returned')}</strong>{' '}
          <Link to="/alarms/$id" params={{ id: of.alarm }}>
            {t('story.other')}
          </Link>
        </>
      );
  }
}

/** `policy`, `uid N` of the host, or a person. */
export function Who({ name }: { name: string }) {
  const { t } = useTranslation('alarms');
  if (name === 'policy') return <>{t('who.policy')}</>;
  return <HostText text={name} />;
}
