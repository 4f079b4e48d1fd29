// SPDX-License-Identifier: Apache-2.0
/**
 * The drawing of a chart. Everything is drawn on a canvas, tooltips too: nothing that a host wrote becomes
 * markup, and no style attribute meets the content security policy.
 */
import { BarChart, LineChart, PieChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { useDark } from '@/app/preferences';
import { safeText } from './FileName';

echarts.use([AriaComponent, BarChart, CanvasRenderer, GridComponent, LegendComponent, LineChart, PieChart, TooltipComponent]);

/** Colour by meaning; the theme says what it is. */
export type ChartTone = 'critical' | 'high' | 'medium' | 'low' | 'good' | 'quiet' | 'accent';

export type ChartSpec =
  | {
      kind: 'bars' | 'lines';
      stacked?: boolean;
      names: string[];
      series: { name: string; tone: ChartTone; values: number[] }[];
    }
  | { kind: 'ring'; parts: { name: string; tone: ChartTone; value: number }[] };

const TONES: Record<ChartTone, [string, string]> = {
  critical: ['#9b1c2e', '#e5687a'],
  high: ['#d9483b', '#ff7b70'],
  medium: ['#e09a2b', '#e3a33c'],
  low: ['#4c8ddb', '#6ba6f5'],
  good: ['#2f9e68', '#4cc38a'],
  quiet: ['#98a2b3', '#7c8798'],
  accent: ['#1456c8', '#7aabff'],
};

function optionOf(spec: ChartSpec, dark: boolean): echarts.EChartsCoreOption {
  const text = dark ? '#b3bccb' : '#4a5365';
  const line = dark ? '#2a3241' : '#e1e5ec';
  const color = (tone: ChartTone) => TONES[tone][dark ? 1 : 0];
  const base = {
    animation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
    animationDuration: 200,
    textStyle: { color: text, fontSize: 12 },
    aria: { enabled: true },
    tooltip: {
      renderMode: 'richText',
      confine: true,
      backgroundColor: dark ? '#1d2430' : '#ffffff',
      borderColor: line,
      textStyle: { color: dark ? '#e8ebf1' : '#191f2b', fontSize: 12 },
    },
    legend: { bottom: 0, icon: 'roundRect', itemWidth: 10, itemHeight: 10, textStyle: { color: text } },
  };
  if (spec.kind === 'ring') {
    return {
      ...base,
      tooltip: { ...base.tooltip, trigger: 'item' },
      legend: { ...base.legend, orient: 'vertical', right: 0, top: 'middle', bottom: undefined },
      series: [
        {
          type: 'pie',
          radius: ['52%', '78%'],
          center: ['32%', '50%'],
          label: { show: false },
          itemStyle: { borderColor: dark ? '#161b25' : '#ffffff', borderWidth: 2 },
          data: spec.parts.map((p) => ({ name: safeText(p.name), value: p.value, itemStyle: { color: color(p.tone) } })),
        },
      ],
    };
  }
  return {
    ...base,
    tooltip: { ...base.tooltip, trigger: 'axis' },
    grid: { left: 8, right: 12, top: 12, bottom: 30, containLabel: true },
    xAxis: {
      type: 'category',
      data: spec.names.map(safeText),
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
      axisLabel: { color: text, hideOverlap: true },
    },
    yAxis: { type: 'value', minInterval: 1, splitLine: { lineStyle: { color: line } }, axisLabel: { color: text } },
    series: spec.series.map((s) => ({
      type: spec.kind === 'bars' ? 'bar' : 'line',
      name: safeText(s.name),
      data: s.values,
      stack: spec.stacked ? 'all' : undefined,
      barMaxWidth: 26,
      symbol: 'none',
      itemStyle: { color: color(s.tone) },
      lineStyle: { color: color(s.tone), width: 2 },
      areaStyle: spec.kind === 'lines' && spec.stacked ? { color: color(s.tone), opacity: 0.25 } : undefined,
    })),
  };
}

interface Props {
  spec: ChartSpec;
  label: string;
  onPick?: (name: string, series: string) => void;
}

export default function ChartCanvas({ spec, label, onPick }: Props) {
  const dark = useDark();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts>(undefined);
  const pick = useRef(onPick);
  useEffect(() => {
    pick.current = onPick;
  }, [onPick]);

  useEffect(() => {
    const div = place.current;
    if (!div) return undefined;
    const made = echarts.init(div, undefined, { renderer: 'canvas' });
    chart.current = made;
    made.on('click', (e) => pick.current?.(e.name, e.seriesName ?? ''));
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(div);
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = undefined;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(optionOf(spec, dark), { notMerge: true });
  }, [spec, dark]);

  return <div ref={place} className="chart-canvas" role="img" aria-label={label} />;
}
