// SPDX-License-Identifier: Apache-2.0
/** How many alarms of the last 30 days a rule would have let be: counted before it is kept. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Alert } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/hooks';
import { collect } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { HostText } from '@/parts/FileName';
import { ListLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { isBound, matches, wrongOf, type Rule } from './rule';

type AlarmRow = Schema<'AlarmItem'>;

const DAYS = 30;
/** Alarms that are looked at; more are said to be more. */
const MOST = 5000;

interface Counted {
  fits: AlarmRow[];
  /** Not all were looked at. */
  capped: boolean;
  looked: number;
}

/** The server narrows it down as far as its filters go; the rest is compared here. */
function narrowed(rule: Rule): QueryOf<'/api/v1/alarms'> {
  const query: QueryOf<'/api/v1/alarms'> = { project: rule.project, last_days: DAYS };
  if (rule.class) query.class = [rule.class];
  if (rule.scope === 'host') query.host = rule.scopeId;
  if (rule.scope === 'group') query.group = rule.scopeId;
  if (rule.field === 'hash') query.sha256 = rule.value.toLowerCase();
  else if (isBound(rule)) query.sha256 = rule.sha256.toLowerCase();
  else if (rule.field === 'file_path' && !rule.judge.startsWith('not_') && !rule.bytes && rule.value.length <= 200) {
    query.text = rule.value;
  }
  return query;
}

async function count(rule: Rule, signal: AbortSignal): Promise<Counted> {
  const query = narrowed(rule);
  const rows = await collect(
    (after) => read('/api/v1/alarms', { query: { ...query, limit: 1000, ...(after ? { after } : {}) } }, signal),
    MOST,
  );
  return { fits: rows.filter((r) => matches(rule, r) === true), capped: rows.length >= MOST, looked: rows.length };
}

/** Whether the list says enough to count. */
function countable(rule: Rule): boolean {
  const part = rule.bytes !== null && rule.judge.endsWith('contain');
  return rule.field !== 'process_path' && !part;
}

function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

export function RuleCount({ rule }: { rule: Rule }) {
  const { t, i18n } = useTranslation('whitelist');
  const settled = useSettled(rule, 400);
  // The reason changes nothing of what it fits.
  const judged = { ...settled, description: '-', owner: '', expires: '', alarm: null };
  const ready = wrongOf(judged) === null;
  const found = useQuery<Counted, Error>({
    queryKey: ['rule-count', judged],
    queryFn: ({ signal }) => count(judged, signal),
    enabled: ready && countable(judged),
    placeholderData: keepPreviousData,
    staleTime: 20_000,
    retry: false,
  });
  if (!ready) return <p className="quiet" role="status">{t('count.notYet')}</p>;
  if (!countable(judged)) return <Alert type="info" showIcon title={t('count.cannot')} />;
  if (found.error) return <Alert type="warning" showIcon title={t('count.failed')} description={<HostText text={found.error.message} />} />;
  if (!found.data) return <p className="quiet" role="status">{t('count.counting')}</p>;

  const { fits, capped, looked } = found.data;
  const hosts = new Set(fits.map((r) => r.host.id)).size;
  const high = fits.filter((r) => r.rating === 'high').length;
  const number = `${numberText(fits.length, i18n.language)}${capped ? '+' : ''}`;
  const linked = judged.field === 'hash' ? { sha256: judged.value } : judged.judge.startsWith('not_') || judged.field !== 'file_path' ? null : { text: judged.value };
  return (
    <div className={found.isPlaceholderData ? 'rule-count rule-count-old' : 'rule-count'} role="status">
      <Alert
        type={high > 0 || fits.length > 50 ? 'warning' : 'info'}
        showIcon
        title={t('count.fits', { count: fits.length, number })}
        description={
          <>
            {fits.length > 0 && <div>{t('count.hosts', { count: hosts })}</div>}
            {high > 0 && <div>{t('count.high', { count: high })}</div>}
            {capped && <div>{t('count.capped', { number: numberText(looked, i18n.language) })}</div>}
            {fits.length > 0 && linked && (
              <ListLink to="/alarms" search={{ ...linked, last_days: String(DAYS) }}>
                {t('count.show')}
              </ListLink>
            )}
          </>
        }
      />
    </div>
  );
}
