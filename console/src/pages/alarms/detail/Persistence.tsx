// SPDX-License-Identifier: Apache-2.0
/** What would start the program again, and whether it was taken out of force. */
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { FileName, HostText } from '@/parts/FileName';
import { Panel } from '@/parts/Page';
import { Tag } from '@/parts/tags';
import { Time } from '@/parts/Time';

export function Persistence({ of }: { of: Schema<'Persistence'> }) {
  const { t } = useTranslation('alarms');
  return (
    <Panel
      title={t('persistence.title')}
      extra={
        <span className="quiet">
          {of.searched_at ? (
            <>
              {t('persistence.searched')} <Time at={of.searched_at} />
            </>
          ) : (
            t('persistence.notYet')
          )}
        </span>
      }
    >
      {of.return_of && (
        <p>
          {t('persistence.returnOf')}{' '}
          <Link to="/alarms/$id" params={{ id: of.return_of }}>
            {t('story.other')}
          </Link>
        </p>
      )}
      {of.returns > 0 && <p>{t('persistence.returns', { count: of.returns })}</p>}
      {of.entries.length === 0 && of.searched_at && <p className="quiet">{t('persistence.none')}</p>}
      {of.entries.length > 0 && (
        <ul className="entries">
          {of.entries.map((e) => (
            <li key={e.number}>
              <div>
                <Tag tone={e.state === 'disabled' ? 'good' : 'high'}>{t(`persistence.state.${e.state}`, { defaultValue: e.state })}</Tag>{' '}
                <strong>{t(`persistence.kind.${e.kind}`, { defaultValue: e.kind })}</strong>{' '}
                <FileName name={e.file} bytes={e.file_b64} />
                {typeof e.line === 'number' && `:${e.line}`}
              </div>
              <div>
                <FileName name={e.text} bytes={e.text_b64} />
              </div>
              <div className="quiet">
                <HostText text={[e.why, e.only_shown ?? '', e.reason ?? ''].filter((x) => x !== '').join(' · ')} />
              </div>
            </li>
          ))}
        </ul>
      )}
      {of.problems.length > 0 && (
        <details>
          <summary className="quiet">{t('persistence.problems', { count: of.problems.length })}</summary>
          <ul className="plain-list quiet">
            {of.problems.map((p, i) => (
              <li key={i}>
                <HostText text={p} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}
