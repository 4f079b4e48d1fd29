// SPDX-License-Identifier: Apache-2.0
/** Charts. The library is a chunk of its own, fetched when the first chart comes into sight. */
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChartSpec } from './ChartCanvas';

export type { ChartSpec } from './ChartCanvas';

const ChartCanvas = lazy(() => import('./ChartCanvas'));

interface Props {
  spec: ChartSpec;
  height?: number;
  /** What it shows, in words: for those who do not see it. */
  label: string;
  onPick?: (name: string, series: string) => void;
}

export function Chart({ spec, height = 220, label, onPick }: Props) {
  const { t } = useTranslation('parts');
  return (
    <figure className="chart" style={{ height }} aria-label={label}>
      <Suspense fallback={<div className="chart-wait">{t('chart.loading')}</div>}>
        <ChartCanvas spec={spec} label={label} onPick={onPick} />
      </Suspense>
    </figure>
  );
}
