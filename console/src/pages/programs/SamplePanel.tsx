// SPDX-License-Identifier: Apache-2.0
/** The sample that the server has of a content, and its last deep scan. */
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { HostText } from '@/parts/FileName';
import { HostLink } from '@/parts/links';
import { sizeText } from '@/parts/numbers';
import { Facts, Panel } from '@/parts/Page';
import { Status } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { DeleteSample, Hold } from './SampleActions';

export function SamplePanel({ of }: { of: Schema<'FilePage'> }) {
  const { t, i18n } = useTranslation('programs');
  const s = of.sample;
  const d = of.deep_scan;
  return (
    <div className="panels">
      <Panel
        title={t('sample.title')}
        extra={
          s && (
            <span className="tags">
              <Hold of={s} />
              <DeleteSample of={s} />
            </span>
          )
        }
      >
        {!s ? (
          <p className="quiet">{t('sample.none')}</p>
        ) : (
          <Facts
            of={[
              [t('column.state'), <Status key="s" kind="sampleState" value={s.state} />],
              [t('column.size'), sizeText(s.size, i18n.language)],
              [t('column.host'), <HostLink key="h" host={s.host} />],
              [t('column.stored'), <Time key="t" at={s.stored_at} />],
              [t('column.until'), s.kept_until ? <Time key="u" at={s.kept_until} way="day" /> : t('sample.forever')],
              [t('column.hold'), s.hold ? <HostText key="w" text={`${s.hold.by}: ${s.hold.reason}`} /> : null],
              [t('reason'), s.reason ? <HostText key="r" text={s.reason} /> : null],
            ]}
          />
        )}
      </Panel>
      <Panel title={t('deep.title')}>
        {!d ? (
          <p className="quiet">{t('deep.none')}</p>
        ) : (
          <Facts
            of={[
              [t('column.state'), <Status key="s" kind="deepScanState" value={d.state} />],
              [t('column.result'), <Status key="r" kind="standing" value={d.standing} />],
              [t('column.queued'), <Time key="q" at={d.queued_at} />],
              [t('column.finished'), <Time key="f" at={d.finished_at} />],
              [t('column.tries'), d.tries],
              [t('column.crashes'), d.crashes],
              [t('column.worker'), d.worker ? <HostText key="w" text={d.worker} /> : null],
              [t('reason'), d.reason ? <HostText key="e" text={d.reason} /> : null],
            ]}
          />
        )}
      </Panel>
    </div>
  );
}
