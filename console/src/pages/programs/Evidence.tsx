// SPDX-License-Identifier: Apache-2.0
/** Why it is called so: the confidence, the evidence that makes it up, and what other scanners said. */
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { HostText } from '@/parts/FileName';
import { Panel } from '@/parts/Page';
import { Tag, useWord } from '@/parts/tags';

export function Evidence({ of }: { of: Schema<'FilePage'> }) {
  const { t } = useTranslation('programs');
  const word = useWord();
  const j = of.judged;
  if (!j && of.votes.length === 0) return null;
  const evidence = [...(j?.evidence ?? [])].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  return (
    <Panel
      title={t('evidence.title')}
      extra={j && <span className="quiet">{t('evidence.content', { version: j.content_version })}</span>}
    >
      {j && (
        <>
          <p>
            {t('evidence.confidence')} <b>{j.confidence}</b> · {word('class', j.class)} {j.family && <HostText text={j.family} />}
            {j.member && (
              <>
                {' · '}
                {t('evidence.member')} <HostText text={j.member} code />
              </>
            )}
          </p>
          <div className="sure" role="img" aria-label={t('evidence.scale', { confidence: j.confidence })}>
            <div className="sure-part" style={{ width: `${Math.max(0, Math.min(100, j.confidence))}%` }} />
            {[60, 90].map((at) => (
              <span key={at} className="sure-mark" style={{ left: `${at}%` }}>
                {at}
              </span>
            ))}
          </div>
        </>
      )}
      {evidence.length > 0 && (
        <div className="scrolled">
          <table className="plain-table" aria-label={t('evidence.title')}>
            <thead>
              <tr>
                {['id', 'kind', 'weight', 'decisive', 'detail'].map((name) => (
                  <th key={name} scope="col">
                    {t(`evidence.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {evidence.map((e, i) => (
                <tr key={i}>
                  <td>
                    <HostText text={e.id} code />
                  </td>
                  <td>{t(`evidenceKind.${e.kind}`, { defaultValue: e.kind })}</td>
                  <td className="number">{e.weight > 0 ? `+${e.weight.toFixed(1)}` : e.weight.toFixed(1)}</td>
                  <td>{e.decisive ? <Tag tone="high">{t('evidence.decides')}</Tag> : '-'}</td>
                  <td>
                    <HostText text={e.detail} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {of.votes.length > 0 && (
        <>
          <h3>{t('votes.title')}</h3>
          <div className="scrolled">
            <table className="plain-table" aria-label={t('votes.title')}>
              <thead>
                <tr>
                  {['connector', 'source', 'opinion', 'weight', 'family', 'detail'].map((name) => (
                    <th key={name} scope="col">
                      {t(`votes.${name}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {of.votes.map((v, i) => (
                  <tr key={i}>
                    <td>
                      <HostText text={v.connector} />
                    </td>
                    <td>
                      <HostText text={v.source} />
                    </td>
                    <td>
                      <Opinion value={v.opinion} />
                    </td>
                    <td className="number">{v.weight?.toFixed(1) ?? '-'}</td>
                    <td>
                      <HostText text={v.family} />
                    </td>
                    <td>
                      <HostText text={v.detail} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </Panel>
  );
}

function Opinion({ value }: { value: string | undefined }) {
  const { t } = useTranslation('programs');
  if (!value) return <>-</>;
  const tone = value === 'bad' ? 'high' : value === 'good' ? 'good' : value === 'none' ? 'medium' : 'quiet';
  return <Tag tone={tone}>{t(`opinion.${value}`, { defaultValue: value })}</Tag>;
}
