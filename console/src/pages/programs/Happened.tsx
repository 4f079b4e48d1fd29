// SPDX-License-Identifier: Apache-2.0
/** What happened with a content, newest first; its alarms and its isolated files. */
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { FileName, HostText } from '@/parts/FileName';
import { HostLink, ListLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Status } from '@/parts/tags';
import { Time } from '@/parts/Time';

/** Rows on the page; the lists have them all. */
const SHOWN = 10;

export function Happened({ of }: { of: Schema<'FilePage'> }) {
  const { t } = useTranslation('programs');
  const { sha256 } = of.file;
  return (
    <>
      {of.isolated_total > 0 && (
        <Panel
          title={t('program.isolated')}
          extra={
            <ListLink to="/isolated" search={{ sha256 }}>
              {t('program.all', { count: of.isolated_total })}
            </ListLink>
          }
        >
          <Lines label={t('program.isolated')} heads={[t('column.path'), t('column.host'), t('column.state'), t('column.at')]}>
            {of.isolated.slice(0, SHOWN).map((i) => (
              <tr key={i.id}>
                <td>
                  <Link to="/isolated/$id" params={{ id: i.id }}>
                    <FileName name={i.path} bytes={i.path_b64} />
                  </Link>
                </td>
                <td>
                  <HostLink host={i.host} />
                </td>
                <td>
                  <Status kind="isolatedStatus" value={i.status} />
                </td>
                <td>
                  <Time at={i.updated_at} />
                </td>
              </tr>
            ))}
          </Lines>
        </Panel>
      )}
      {of.alarms_total > 0 && (
        <Panel
          title={t('program.alarms')}
          extra={
            <ListLink to="/alarms" search={{ sha256 }}>
              {t('program.all', { count: of.alarms_total })}
            </ListLink>
          }
        >
          <Lines label={t('program.alarms')} heads={[t('column.alarm'), t('column.host'), t('column.state'), t('column.at')]}>
            {of.alarms.slice(0, SHOWN).map((a) => (
              <tr key={a.id}>
                <td>
                  <Link to="/alarms/$id" params={{ id: a.id }}>
                    <HostText text={a.title} />
                  </Link>{' '}
                  <FileName name={a.path} bytes={a.path_b64} />
                </td>
                <td>
                  <HostLink host={a.host} />
                </td>
                <td>
                  <Status kind="handleStatus" value={a.handle_status} />
                </td>
                <td>
                  <Time at={a.last} />
                </td>
              </tr>
            ))}
          </Lines>
        </Panel>
      )}
      <Panel title={t('history.title')}>
        {of.history.length === 0 ? (
          <p className="quiet">{t('history.none')}</p>
        ) : (
          <ol className="history" tabIndex={0} aria-label={t('history.title')}>
            {of.history.map((e, i) => (
              <li key={i}>
                <Time at={e.at} />
                <span className="about">{t(`history.${e.about}`, { defaultValue: e.about })}</span>
                <HostText text={e.text} />
              </li>
            ))}
          </ol>
        )}
      </Panel>
    </>
  );
}

function Lines({ label, heads, children }: { label: string; heads: string[]; children: React.ReactNode }) {
  return (
    <div className="scrolled">
      <table className="plain-table" aria-label={label}>
        <thead>
          <tr>
            {heads.map((h) => (
              <th key={h} scope="col">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
