// SPDX-License-Identifier: Apache-2.0
/** Alarms of the last weeks by severity or class. The server counts; one request for each line. */
import { Segmented } from 'antd';
import { useQueries } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { keyOf, read, useGet } from '@/api/hooks';
import type { QueryOf } from '@/api/types';
import { useProject } from '@/app/project';
import { Failure, Loading, Shown, State } from '@/app/states';
import { Chart, type ChartSpec } from '@/parts/Chart';
import { Panel } from '@/parts/Page';
import { useWord } from '@/parts/tags';
import { daysFilled, SEVERITIES } from './figures';

type Query = QueryOf<'/api/v1/alarms/statistics'>;
type By = 'severity' | 'class';
type Tone = 'critical' | 'high' | 'medium' | 'low' | 'good' | 'accent' | 'quiet';

const CLASS_TONES: Tone[] = ['accent', 'high', 'medium', 'good', 'critical', 'quiet'];
/** More lines than this are not told apart. */
const MOST_CLASSES = 6;

export function AlarmsOverTime() {
  const { t } = useTranslation('dashboard');
  const [by, setBy] = useState<By>('severity');
  const [days, setDays] = useState(30);
  return (
    <Panel
      title={t('overTime')}
      extra={
        <>
          <Segmented
            size="small"
            aria-label={t('by')}
            value={by}
            onChange={(v) => setBy(v as By)}
            options={[
              { value: 'severity', label: t('bySeverity') },
              { value: 'class', label: t('byClass') },
            ]}
          />
          <Segmented
            size="small"
            aria-label={t('period')}
            value={days}
            onChange={(v) => setDays(Number(v))}
            options={[7, 30, 90].map((n) => ({ value: n, label: t('days', { count: n }) }))}
          />
        </>
      }
    >
      {by === 'severity' ? <Lines by="severity" words={[...SEVERITIES]} tones={[...SEVERITIES]} days={days} /> : <Classes days={days} />}
    </Panel>
  );
}

function Classes({ days }: { days: number }) {
  const { projectQuery } = useProject();
  const found = useGet('/api/v1/alarms/statistics', { query: { ...projectQuery, last_days: days } });
  return (
    <Shown of={found}>
      {(s) => {
        const words = [...s.by_class].sort((a, b) => b.count - a.count).slice(0, MOST_CLASSES).map((c) => c.word);
        return <Lines by="class" words={words} tones={CLASS_TONES} days={days} />;
      }}
    </Shown>
  );
}

function Lines({ by, words, tones, days }: { by: By; words: string[]; tones: Tone[]; days: number }) {
  const { t } = useTranslation('dashboard');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const found = useQueries({
    queries: words.map((w) => {
      const query = { ...projectQuery, last_days: days, [by]: [w] } as Query;
      return {
        queryKey: keyOf('/api/v1/alarms/statistics', { query }),
        queryFn: ({ signal }: { signal: AbortSignal }) => read('/api/v1/alarms/statistics', { query }, signal),
      };
    }),
  });
  const error = found.find((f) => f.error)?.error;
  if (error && found.some((f) => !f.data)) return <Failure error={error} retry={() => found.forEach((f) => void f.refetch())} />;
  if (found.some((f) => f.isPending)) return <Loading />;

  const lines = words.map((w, i) => ({ word: w, values: daysFilled(found[i]?.data?.by_day ?? [], days) }));
  const total = lines.reduce((sum, l) => sum + l.values.reduce((s, d) => s + d.count, 0), 0);
  if (total === 0) return <State title={t('noAlarms', { count: days })} />;
  const names = lines[0]?.values.map((v) => v.day) ?? [];
  const kind = by === 'severity' ? 'severity' : 'class';
  const spec: ChartSpec = {
    kind: 'bars',
    stacked: true,
    names: names.map((d) => d.slice(5)),
    series: lines.map((l, i) => ({ name: word(kind, l.word), tone: tones[i % tones.length] ?? 'quiet', values: l.values.map((v) => v.count) })),
  };
  const pick = (name: string, series: string) => {
    const day = names.find((d) => d.endsWith(name));
    const line = lines.find((l) => word(kind, l.word) === series);
    if (!day || !line) return;
    const until = new Date(Date.parse(day) + 86_400_000).toISOString();
    void navigate({
      to: '/alarms',
      search: (s: Record<string, unknown>) => ({ project: s.project, [by]: line.word, since: new Date(day).toISOString(), until }),
    });
  };
  const said = lines.map((l) => `${word(kind, l.word)} ${l.values.reduce((s, d) => s + d.count, 0)}`).join(', ');
  return <Chart spec={spec} height={240} label={t('overTimeLabel', { count: days, said })} onPick={pick} />;
}
