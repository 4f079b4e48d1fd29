// SPDX-License-Identifier: Apache-2.0
/** What servers are told of a content, by whom, how far, and since when; or that it was taken back. */
import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { HostText } from '@/parts/FileName';
import { Facts, Panel } from '@/parts/Page';
import { Rating, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';

export function VerdictPanel({ of }: { of: Schema<'FilePage'> }) {
  const { t } = useTranslation('programs');
  const word = useWord();
  const v = of.verdict;
  const known = of.known;
  return (
    <Panel title={t('verdict.title')}>
      {known && (
        <Alert
          className="why"
          type={known.bad ? 'error' : 'success'}
          showIcon
          title={t(known.bad ? 'verdict.knownBad' : 'verdict.knownGood')}
          description={<HostText text={`${known.name} (${known.source})`} />}
        />
      )}
      {!v && <p className="quiet">{t('verdict.none')}</p>}
      {v && (
        <>
          <Reach of={v} />
          <Facts
            of={[
              [t('filter.class'), word('class', v.class)],
              [t('column.family'), v.family ? <HostText key="f" text={v.family} /> : null],
              [t('column.confidence'), <Rating key="r" value={v.rating} confidence={v.confidence} />],
              [t('verdict.origin'), t(`origin.${v.origin}`, { defaultValue: v.origin })],
              [t('verdict.by'), v.by ? <HostText key="b" text={v.by} /> : null],
              [t('verdict.at'), <Time key="a" at={v.at} />],
              [t('verdict.number'), v.number],
            ]}
          />
          {v.reason && <Facts wide of={[[t('reason'), <HostText key="w" text={v.reason} />]]} />}
        </>
      )}
    </Panel>
  );
}

/** Where it acts now. */
function Reach({ of: v }: { of: Schema<'FileVerdict'> }) {
  const { t } = useTranslation('programs');
  if (v.withdrawn) {
    return (
      <Alert
        className="why"
        type="info"
        showIcon
        title={t('verdict.withdrawn')}
        description={
          <>
            <Time at={v.withdrawn_at} /> {v.withdrawn_by && <HostText text={v.withdrawn_by} />} {v.withdrawn_reason && <HostText text={v.withdrawn_reason} />}
          </>
        }
      />
    );
  }
  if (v.act === 'canary') {
    return (
      <Alert
        className="why"
        type="warning"
        showIcon
        title={t('verdict.canary')}
        description={
          v.release_at ? (
            <>
              {t('verdict.canaryUntil')} <Time at={v.release_at} />
            </>
          ) : (
            t('verdict.canaryPerson')
          )
        }
      />
    );
  }
  return (
    <Alert
      className="why"
      type="error"
      showIcon
      title={t('verdict.all')}
      description={
        v.released_at ? (
          <>
            {t('verdict.released')} <Time at={v.released_at} /> {v.released_by && <HostText text={v.released_by} />}
          </>
        ) : undefined
      }
    />
  );
}
