// SPDX-License-Identifier: Apache-2.0
/** The same file elsewhere, and how somebody dealt with alarms like this one. */
import { Link } from '@tanstack/react-router';
import { Tabs } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { Failure, Loading } from '@/app/states';
import { FileName, HostText } from '@/parts/FileName';
import { HostLink, ListLink } from '@/parts/links';
import { totalText } from '@/parts/numbers';
import { Panel } from '@/parts/Page';
import { Rating, Status, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { Who } from './Story';

type Row = Schema<'AlarmItem'>;
const SHOWN = 10;

export function Related({ row }: { row: Row }) {
  const { t, i18n } = useTranslation('alarms');
  const same = useList('/api/v1/alarms/{id}/same', { path: { id: row.id } }, (r) => r.id, { pageSize: SHOWN + 1 });
  const similar = useGet('/api/v1/alarms/{id}/similar-handled', { path: { id: row.id } });
  const others = same.rows.filter((r) => r.id !== row.id).slice(0, SHOWN);
  // The server counts this one too, where it is about a file.
  const total = Math.max(0, same.total - (same.rows.length > others.length ? 1 : 0));
  const items = similar.data?.items ?? [];
  return (
    <Panel title={t('related.title')}>
      <Tabs
        size="small"
        items={[
          {
            key: 'same',
            label: t('related.same', { number: totalText(total, same.totalIsCapped, i18n.language) }),
            children: same.error ? (
              <Failure error={same.error} retry={same.reload} />
            ) : same.loading ? (
              <Loading />
            ) : (
              <>
                <Short rows={others.map((alarm) => ({ alarm }))} none={t('related.noSame')} />
                {row.sha256 && total > 0 && (
                  <ListLink to="/alarms" search={{ sha256: row.sha256 }}>
                    {t('related.all')}
                  </ListLink>
                )}
              </>
            ),
          },
          {
            key: 'similar',
            label: t('related.similar', { number: items.length }),
            children: similar.error ? (
              <Failure error={similar.error} retry={() => void similar.refetch()} />
            ) : similar.isPending ? (
              <Loading />
            ) : (
              <Short rows={items} none={t('related.noSimilar')} />
            ),
          },
        ]}
      />
    </Panel>
  );
}

function Short({ rows, none }: { rows: { alarm: Row; similar_type?: string }[]; none: string }) {
  const { t } = useTranslation('alarms');
  const word = useWord();
  if (rows.length === 0) return <p className="quiet">{none}</p>;
  return (
    <div className="scroll-x">
      <table className="related">
        <thead>
          <tr>
            <th scope="col">{t('column.title')}</th>
            <th scope="col">{t('column.host')}</th>
            <th scope="col">{t('column.rating')}</th>
            <th scope="col">{t('column.status')}</th>
            <th scope="col">{t('column.last')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ alarm, similar_type: by }) => (
            <tr key={alarm.id}>
              <td>
                <Link to="/alarms/$id" params={{ id: alarm.id }}>
                  <FileName name={alarm.path ?? alarm.title} bytes={alarm.path_b64} />
                </Link>
                {by && <div className="quiet">{t(`similar.${by}`, { defaultValue: by })}</div>}
              </td>
              <td>
                <HostLink host={alarm.host} />
              </td>
              <td>
                <Rating value={alarm.rating} confidence={alarm.confidence} />
              </td>
              <td>
                {alarm.handled ? (
                  <>
                    {word('verb', alarm.handled.by)}
                    <div className="quiet">
                      <Who name={alarm.handled.who} />
                      {alarm.handled.remark && (
                        <>
                          : <HostText text={alarm.handled.remark} />
                        </>
                      )}
                    </div>
                  </>
                ) : (
                  <Status kind="handleStatus" value={alarm.handle_status} />
                )}
              </td>
              <td>
                <Time at={alarm.last} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
