// SPDX-License-Identifier: Apache-2.0
/** The confidence: where it stands on the scale, which thresholds hold, and the evidence that makes it up. */
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { FileName, HostText } from '@/parts/FileName';
import { Panel } from '@/parts/Page';
import { Rating, Tag, useWord } from '@/parts/tags';
import { ratedBy, shareOf, thresholdsOf, type Thresholds } from './scale';

type Row = Schema<'AlarmItem'>;
type Verdict = Schema<'Verdict'>;

/** What is in force on the alarm's host now. */
function useThresholds(row: Row, test: boolean): { is: Thresholds; group: { id: string; name: string } | null } {
  const groupId = row.host.group ?? '';
  const hostGroup = useGet('/api/v1/host-groups/{id}', { path: { id: groupId } }, { enabled: groupId !== '', retry: false });
  const policyId = hostGroup.data?.policy_group ?? '';
  const policy = useGet('/api/v1/policy-groups/{id}', { path: { id: policyId } }, { enabled: policyId !== '', retry: false });
  const switches = useGet('/api/v1/switches', { query: { project: row.project } }, { retry: false });
  const on = switches.data?.items.some((s) => s.project === row.project && s.name === 'malware_sample_high_detect' && s.on) ?? false;
  return {
    is: thresholdsOf(policy.data?.settings, on, test),
    group: policy.data ? { id: policy.data.id, name: policy.data.name } : null,
  };
}

export function Confidence({ row, verdict }: { row: Row; verdict: Verdict }) {
  const { t } = useTranslation('alarms');
  const word = useWord();
  const { is, group } = useThresholds(row, verdict.test);
  const decisive = verdict.evidence.some((e) => e.decisive && e.weight > 0);
  const now = ratedBy(verdict.confidence, is, decisive);
  return (
    <Panel title={t('confidence.title')} extra={<Rating value={row.rating} confidence={verdict.confidence} />}>
      <Scale value={verdict.confidence} of={is} />
      <p className="quiet">
        {t('confidence.thresholds', { high: is.high, medium: is.medium })}{' '}
        {verdict.test
          ? t('confidence.ofTest')
          : group && (
              <Link to="/policies/$id" params={{ id: group.id }}>
                <HostText text={group.name} />
              </Link>
            )}
        {row.rating && row.rating !== now && ` ${t('confidence.differs', { then: word('rating', row.rating), now: word('rating', now) })}`}
        {!decisive && ` ${t('confidence.noDecisive')}`}
      </p>
      <table className="evidence">
        <caption className="unseen">{t('confidence.evidence')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('confidence.kind')}</th>
            <th scope="col">{t('confidence.found')}</th>
            <th scope="col">{t('confidence.weight')}</th>
          </tr>
        </thead>
        <tbody>
          {verdict.evidence.map((e, i) => (
            <tr key={i}>
              <td>
                {t(`evidence.${e.kind}`, { defaultValue: e.kind })}
                {e.decisive && (
                  <>
                    {' '}
                    <Tag tone="high">{t('confidence.decisive')}</Tag>
                  </>
                )}
              </td>
              <td>
                <HostText code text={e.id} />
                <div className="quiet">
                  <HostText text={e.detail} />
                </div>
              </td>
              <td className="weight">
                <span className="weight-number">{`${e.weight > 0 ? '+' : ''}${e.weight.toFixed(1)}`}</span>
                <span className="weight-line" aria-hidden>
                  <span className={e.weight > 0 ? 'weight-bad' : 'weight-good'} style={{ width: `${shareOf(e.weight)}%` }} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {verdict.evidence.length === 0 && <p className="quiet">{t('confidence.none')}</p>}
      {verdict.member && (
        <p>
          {t('confidence.member')} <FileName name={verdict.member} bytes={verdict.member_b64} />
        </p>
      )}
      <p className="quiet">{t('confidence.formula', { version: verdict.content_version })}</p>
    </Panel>
  );
}

function Scale({ value, of }: { value: number; of: Thresholds }) {
  const { t } = useTranslation('alarms');
  const word = useWord();
  return (
    <div className="scale" role="img" aria-label={t('confidence.scale', { value, high: of.high, medium: of.medium })}>
      <div className="scale-line">
        <span className="scale-low" style={{ width: `${of.medium}%` }}>
          {word('rating', 'low')}
        </span>
        <span className="scale-medium" style={{ width: `${of.high - of.medium}%` }}>
          {word('rating', 'medium')}
        </span>
        <span className="scale-high" style={{ width: `${100 - of.high}%` }}>
          {word('rating', 'high')}
        </span>
      </div>
      <span className="scale-mark" style={{ left: `${value}%` }} />
      <div className="scale-numbers" aria-hidden>
        <span style={{ left: '0%' }}>0</span>
        <span style={{ left: `${of.medium}%` }}>{of.medium}</span>
        <span style={{ left: `${of.high}%` }}>{of.high}</span>
        <span style={{ left: '100%' }}>100</span>
      </div>
    </div>
  );
}
