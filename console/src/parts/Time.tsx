// SPDX-License-Identifier: Apache-2.0
/** Times in the viewer's zone; UTC, the distance and where known the host's own zone on hover. */
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';

type Way = 'full' | 'day' | 'distance';

const made = new Map<string, Intl.DateTimeFormat>();

function format(language: string, zone: string | undefined, way: 'full' | 'day'): Intl.DateTimeFormat {
  const key = `${language}|${zone ?? ''}|${way}`;
  const found = made.get(key);
  if (found) return found;
  const day: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit' };
  const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  // The order of numbers that sorts and is read the same everywhere.
  const fresh = new Intl.DateTimeFormat('sv-SE', { ...day, ...(way === 'full' ? clock : {}), timeZone: zone });
  made.set(key, fresh);
  return fresh;
}

/** `2026-11-26 10:42:01`, in a zone or the viewer's. */
export function timeText(at: string | Date, zone?: string, way: 'full' | 'day' = 'full'): string {
  const date = typeof at === 'string' ? new Date(at) : at;
  if (Number.isNaN(date.getTime())) return String(at);
  try {
    return format('sv', zone, way).format(date);
  } catch {
    // A zone that this browser does not know.
    return format('sv', 'UTC', way).format(date);
  }
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** "3 minutes ago", in the reader's language. */
export function distanceText(at: string, language: string, now = Date.now()): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  if (Number.isNaN(seconds)) return at;
  const [unit, size] = STEPS.find(([, s]) => Math.abs(seconds) >= s) ?? ['second', 1];
  const intl = new Intl.RelativeTimeFormat(language === 'zh' ? 'zh-CN' : 'en', { numeric: 'auto' });
  return intl.format(Math.trunc(seconds / size), unit);
}

interface Props {
  at: string | null | undefined;
  way?: Way;
  /** Zone of the host, where it is known: `Europe/Berlin`. */
  hostZone?: string | null;
}

export function Time({ at, way = 'full', hostZone }: Props) {
  const { t, i18n } = useTranslation('parts');
  if (!at) return <span className="none">-</span>;
  const distance = distanceText(at, i18n.language);
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const lines = (
    <dl className="times">
      <dt>{t('time.yours', { zone: own })}</dt>
      <dd>{timeText(at)}</dd>
      {hostZone && (
        <>
          <dt>{t('time.host', { zone: hostZone })}</dt>
          <dd>{timeText(at, hostZone)}</dd>
        </>
      )}
      <dt>UTC</dt>
      <dd>{timeText(at, 'UTC')}</dd>
      <dt>{t('time.distance')}</dt>
      <dd>{distance}</dd>
    </dl>
  );
  return (
    <Tooltip title={lines} mouseEnterDelay={0.3}>
      <time dateTime={at} className="time">
        {way === 'distance' ? distance : timeText(at, undefined, way)}
      </time>
    </Tooltip>
  );
}
