// SPDX-License-Identifier: Apache-2.0
/** What other settings would have changed in the last 30 days: numbers, and the alarms behind them. */
import { Alert } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from './DataTable';
import { FileName, HostText } from './FileName';
import { HostLink, ThingLink } from './links';
import { numberText } from './numbers';
import { useWord } from './tags';
import { Time } from './Time';

export type Replay = Schema<'Replay'>;
type Row = Replay['differences'][number];

/** The hosts of the first differences by name; the answer has their ids only. */
function useHostNames(rows: readonly Row[]): (id: string) => string {
  const ids = useMemo(() => [...new Set(rows.map((r) => r.host))].slice(0, 100), [rows]);
  const found = useGet('/api/v1/hosts', { query: { ids, limit: 100 } }, { enabled: ids.length > 0 });
  return (id) => found.data?.items.find((h) => h.id === id)?.name ?? id;
}

/** The numbers, each with what it counts. */
export function ReplayNumbers({ of }: { of: Replay }) {
  const { t, i18n } = useTranslation('replay');
  const number = (n: number) => numberText(n, i18n.language);
  const tiles: [number, string, boolean][] = [
    [of.more_isolations, t('more'), of.more_isolations > 0],
    [of.fewer_isolations, t('fewer'), of.fewer_isolations > 0],
    [of.other_ratings, t('ratings'), false],
    [of.gone_alarms, t('gone'), of.gone_alarms > 0],
    [of.judged, t('judged'), false],
  ];
  return (
    <>
      <dl className="replay-numbers">
        {tiles.map(([value, name, heavy]) => (
          <div key={name} className={heavy ? 'replay-heavy' : undefined}>
            <dt>{name}</dt>
            <dd>{number(value)}</dd>
          </div>
        ))}
      </dl>
      {of.judged === 0 && <p className="quiet">{t('nothingJudged')}</p>}
      {of.unreadable > 0 && <p className="quiet">{t('unreadable', { count: of.unreadable, number: number(of.unreadable) })}</p>}
      {of.incomplete && <Alert type="warning" showIcon title={t('incomplete')} />}
    </>
  );
}

/** For dialogs: what would have been isolated and killed, by name. */
export function ReplayFiles({ of, most = 50 }: { of: Replay; most?: number }) {
  const { t, i18n } = useTranslation('replay');
  const rows = of.differences.filter((d) => d.decision_after === 'isolate_and_kill' && d.decision_before !== 'isolate_and_kill');
  const hostName = useHostNames(of.differences);
  if (of.more_isolations === 0) return null;
  const left = of.more_isolations - Math.min(most, rows.length);
  return (
    <>
      <p className="replay-caption" id="replay-files">{t('files')}</p>
      <ul className="confirm-names" tabIndex={0} aria-labelledby="replay-files">
        {rows.slice(0, most).map((d) => (
          <li key={d.alarm}>
            <FileName name={d.path} bytes={d.path_b64} /> <span className="quiet">· <HostText text={hostName(d.host)} /></span>
          </li>
        ))}
        {left > 0 && <li>{t('moreFiles', { count: left, number: numberText(left, i18n.language) })}</li>}
      </ul>
    </>
  );
}

/** The alarms that would have ended otherwise. */
export function ReplayTable({ of, height = 360 }: { of: Replay; height?: number }) {
  const { t } = useTranslation('replay');
  const word = useWord();
  const hostName = useHostNames(of.differences);
  const rows = wholeList({ data: { items: of.differences }, isPending: false, error: null, refetch: () => undefined });
  const turn = (kind: string, before: string | null | undefined, after: string | null | undefined) =>
    before === after ? word(kind, after) : `${word(kind, before)} → ${word(kind, after)}`;
  const columns: Column<Row>[] = [
    { id: 'at', title: t('column.at'), width: 160, grow: 0, render: (r) => <Time at={r.at} />, csv: (r) => r.at },
    { id: 'title', title: t('column.title'), width: 180, render: (r) => <ThingLink to="/alarms/$id" id={r.alarm}><HostText text={r.title} /></ThingLink>, csv: (r) => r.title },
    { id: 'path', title: t('column.path'), width: 220, grow: 2, render: (r) => <FileName name={r.path} bytes={r.path_b64} cut />, csv: (r) => r.path },
    { id: 'host', title: t('column.host'), width: 130, render: (r) => <HostLink host={{ id: r.host, name: hostName(r.host) }} />, csv: (r) => hostName(r.host) },
    { id: 'decision', title: t('column.decision'), width: 210, render: (r) => turn('decision', r.decision_before, r.decision_after), csv: (r) => turn('decision', r.decision_before, r.decision_after) },
    { id: 'rating', title: t('column.rating'), width: 130, grow: 0, render: (r) => turn('rating', r.rating_before, r.rating_after), csv: (r) => turn('rating', r.rating_before, r.rating_after) },
    { id: 'confidence', title: t('column.confidence'), width: 90, grow: 0, align: 'right', render: (r) => r.confidence, csv: (r) => r.confidence },
    { id: 'reasons', title: t('column.reasons'), width: 260, grow: 2, hidden: true, render: (r) => <HostText text={r.reasons.join('; ')} />, csv: (r) => r.reasons.join('; ') },
  ];
  return <DataTable id="replay" label={t('differences')} rows={rows} idOf={(r) => r.alarm} columns={columns} height={height} empty={t('noDifference')} />;
}
