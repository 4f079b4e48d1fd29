// SPDX-License-Identifier: Apache-2.0
/** Content and its rollout, servers whose sensors are not as configured, and what was done last. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useProject } from '@/app/project';
import { Shown, State } from '@/app/states';
import { HostText } from '@/parts/FileName';
import { HostLink, ListLink, ThingLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { contentShares } from './figures';

/** Of so many servers versions are counted. */
const COUNTED = 1000;
const SHOWN = 6;

export function Standing() {
  return (
    <div className="panels">
      <ContentPanel />
      <DegradedPanel />
      <LastPanel />
    </div>
  );
}

function ContentPanel() {
  const { t } = useTranslation('dashboard');
  const { project, projectQuery } = useProject();
  const hosts = useGet('/api/v1/hosts', { query: { ...projectQuery, limit: COUNTED } });
  // A project has a pack of its own; without one chosen there is no single version to compare with.
  const content = useGet('/api/v1/content', { query: { project } }, { enabled: project !== undefined });
  const wanted = content.data?.pack?.version;
  return (
    <Panel title={t('content')} extra={hosts.data?.next && <span className="quiet">{t('ofFirst', { count: COUNTED })}</span>}>
      {wanted && (
        <p>
          {t('offered')} <code>{wanted}</code>
        </p>
      )}
      <Shown of={hosts}>
        {({ items }) => {
          if (items.length === 0) return <State title={t('noHosts')} />;
          const shares = contentShares(items);
          return (
            <ul className="shares">
              {shares.slice(0, SHOWN).map((s) => (
                <li key={s.version}>
                  <span className="shares-name"><HostText text={s.version || t('noVersion')} code /></span>
                  <span className="progress-line" aria-hidden>
                    <span className="progress-part" style={{ width: `${(100 * s.hosts) / items.length}%` }} />
                  </span>
                  <span className="shares-number">{t('hostCount', { count: s.hosts })}</span>
                </li>
              ))}
            </ul>
          );
        }}
      </Shown>
    </Panel>
  );
}

function DegradedPanel() {
  const { t } = useTranslation('dashboard');
  const { projectQuery } = useProject();
  const found = useGet('/api/v1/hosts', { query: { ...projectQuery, protection: 'partial', limit: SHOWN } });
  return (
    <Panel title={t('degraded')} extra={<ListLink to="/hosts" search={{ protection: 'partial' }}>{t('more')}</ListLink>}>
      <Shown of={found}>
        {({ items }) =>
          items.length === 0 ? (
            <State title={t('noneDegraded')} />
          ) : (
            <ul className="lines">
              {items.map((h) => (
                <li key={h.id}>
                  <HostLink host={h} />
                  <span className="quiet"><HostText text={h.protection.reason} /></span>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

function LastPanel() {
  const { t } = useTranslation('dashboard');
  const word = useWord();
  const { projectQuery } = useProject();
  const found = useGet('/api/v1/alarms/handlings', { query: { limit: SHOWN, ...projectQuery } });
  return (
    <Panel title={t('lastHandlings')} extra={<ListLink to="/handlings">{t('more')}</ListLink>}>
      <Shown of={found}>
        {({ items }) =>
          items.length === 0 ? (
            <State title={t('noHandlings')} />
          ) : (
            <ul className="lines">
              {items.map((h) => (
                <li key={`${h.alarm} ${h.at} ${h.operate_type}`}>
                  <span>
                    {word('verb', h.operate_type)}{' '}
                    <ThingLink to="/alarms/$id" id={h.alarm}>
                      <HostText text={h.title} />
                    </ThingLink>
                  </span>
                  <span className="quiet">
                    <HostText text={h.who} /> <Time at={h.at} way="distance" />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}
