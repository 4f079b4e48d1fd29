// SPDX-License-Identifier: Apache-2.0
/** The cell that says what became of a program; of few rows the alarm itself must be asked. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { ThingLink } from '@/parts/links';
import { Tag } from '@/parts/tags';
import type { AlarmRow } from '@/pages/alarms/handle/verbs';
import { fateBy, fateOf, isUnsure, type Fate } from './fate';

const TONE: Record<Fate, 'good' | 'high' | 'medium' | 'low' | 'quiet'> = {
  isolated: 'good',
  wasIsolated: 'quiet',
  notIsolated: 'high',
  failed: 'high',
  frozen: 'low',
  thawed: 'high',
  rehearsed: 'quiet',
  denied: 'medium',
  alarmed: 'high',
  restored: 'quiet',
};

export function FateCell({ row }: { row: AlarmRow }) {
  const { t } = useTranslation('events');
  const plain = fateOf(row);
  const found = useGet('/api/v1/alarms/{id}', { path: { id: row.id } }, { enabled: isUnsure(plain), staleTime: 60_000 });
  const records = found.data?.alarm?.timeline;
  const fate = records ? fateBy(row, records) : plain;
  return (
    <span className="tags">
      <Tag tone={TONE[fate]}>{t(`fate.${fate}`)}</Tag>
      {row.isolated && (
        <ThingLink to="/isolated/$id" id={row.isolated}>
          {t('file')}
        </ThingLink>
      )}
    </span>
  );
}
