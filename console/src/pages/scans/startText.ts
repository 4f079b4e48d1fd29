// SPDX-License-Identifier: Apache-2.0
/** When a plan begins, in words. */
import { useTranslation } from 'react-i18next';
import { timeText } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { isOwnZone, zoneText, type Start } from './plan';

export function useStartText(): (start: Start) => string {
  const { t, i18n } = useTranslation('scans');
  const word = useWord();
  return (start) => {
    const type = word('startType', start.start_type);
    if (start.start_type === 'now') return type;
    if (start.start_type === 'later') return start.at ? `${type} ${timeText(start.at)}` : type;
    const clock = `${String(start.hour ?? 0).padStart(2, '0')}:${String(start.minute ?? 0).padStart(2, '0')}`;
    const zone = isOwnZone(start) ? '' : ` (${zoneText(start.timezone_offset ?? 0)})`;
    if (start.start_type === 'week') {
      const day = new Intl.DateTimeFormat(i18n.language === 'zh' ? 'zh-CN' : 'en', { weekday: 'long', timeZone: 'UTC' }).format(
        new Date(Date.UTC(1970, 0, 3 + (start.date ?? 1))),
      );
      return `${type} ${day} ${clock}${zone}`;
    }
    if (start.start_type === 'month') return `${type} ${t('dayOfMonth', { day: start.date ?? 1 })} ${clock}${zone}`;
    return `${type} ${clock}${zone}`;
  };
}
