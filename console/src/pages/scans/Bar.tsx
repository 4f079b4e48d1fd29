// SPDX-License-Identifier: Apache-2.0
/** How far something is, of a thousand. */
import { useTranslation } from 'react-i18next';

export function Bar({ permille, bad = false }: { permille: number; bad?: boolean }) {
  const { t } = useTranslation('scans');
  const share = Math.max(0, Math.min(100, Math.round(permille / 10)));
  return (
    <div className="bar">
      <div className="progress-line" role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-valuenow={share} aria-label={t('progress')}>
        <div className={bad ? 'progress-part progress-bad' : 'progress-part'} style={{ width: `${share}%` }} />
      </div>
      <span className="bar-number">{share} %</span>
    </div>
  );
}
