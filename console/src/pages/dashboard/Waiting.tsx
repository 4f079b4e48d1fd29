// SPDX-License-Identifier: Apache-2.0
/** What needs a person: critical and high alarms that nobody handled, and the servers that have most of them. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useProject } from '@/app/project';
import { Shown, State } from '@/app/states';
import { FileName, HostText } from '@/parts/FileName';
import { HostLink, ListLink, ThingLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Rating, Severity, Status, Tag } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { riskiest } from './figures';

const SHOWN = 8;
/** So many of the newest are counted for the servers. */
const COUNTED = 1000;

export function Waiting() {
  const { t } = useTranslation('dashboard');
  const { projectQuery } = useProject();
  const found = useGet('/api/v1/alarms', {
    query: { ...projectQuery, severity: ['critical', 'high'], handle_status: 'unhandled', limit: COUNTED },
  });
  const search = { severity: 'critical,high', handle_status: 'unhandled' };
  return (
    <div className="panels panels-wide">
      <Panel title={t('highFirst')} extra={<ListLink to="/alarms" search={search}>{t('more')}</ListLink>}>
        <Shown of={found}>
          {({ items }) =>
            items.length === 0 ? (
              <State title={t('noneWaits')} />
            ) : (
              <table className="short">
                <thead>
                  <tr>
                    <th>{t('alarm')}</th>
                    <th>{t('severity')}</th>
                    <th>{t('confidence')}</th>
                    <th>{t('path')}</th>
                    <th>{t('host')}</th>
                    <th>{t('last')}</th>
                  </tr>
                </thead>
                <tbody>
                  {[...items]
                    .sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'))
                    .slice(0, SHOWN)
                    .map((a) => (
                      <tr key={a.id}>
                        <td>
                          <ThingLink to="/alarms/$id" id={a.id}>
                            <HostText text={a.title} />
                          </ThingLink>{' '}
                          {a.test && <Tag tone="low">{t('test')}</Tag>}
                        </td>
                        <td><Severity value={a.severity} /></td>
                        <td><Rating value={a.rating} confidence={a.confidence} /></td>
                        <td className="short-path"><FileName name={a.path} bytes={a.path_b64} cut /></td>
                        <td><HostLink host={a.host} /></td>
                        <td><Time at={a.last} way="distance" /></td>
                      </tr>
                    ))}
                </tbody>
              </table>
            )
          }
        </Shown>
      </Panel>
      <Panel title={t('riskyHosts')} extra={found.data?.next && <span className="quiet">{t('ofNewest', { count: COUNTED })}</span>}>
        <Shown of={found}>
          {({ items }) => {
            const hosts = riskiest(items, SHOWN);
            if (hosts.length === 0) return <State title={t('noRisk')} />;
            return (
              <table className="short">
                <thead>
                  <tr>
                    <th>{t('host')}</th>
                    <th>{t('importance')}</th>
                    <th className="table-right">{t('critical')}</th>
                    <th className="table-right">{t('high')}</th>
                  </tr>
                </thead>
                <tbody>
                  {hosts.map((h) => (
                    <tr key={h.id}>
                      <td><HostLink host={h} /></td>
                      <td><Status kind="importance" value={h.importance} /></td>
                      {(['critical', 'high'] as const).map((severity) => (
                        <td key={severity} className="table-right">
                          <ListLink to="/alarms" search={{ host: h.id, severity, handle_status: 'unhandled' }} label={`${t(severity)}: ${h[severity]}`}>
                            {h[severity]}
                          </ListLink>
                        </td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            );
          }}
        </Shown>
      </Panel>
    </div>
  );
}
