// SPDX-License-Identifier: Apache-2.0
/** One whitelist entry: what it says, what it let through, its change and its end. */
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useVersioned, type Versioned } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Shown } from '@/app/states';
import { DataTable, type Column } from '@/parts/DataTable';
import { Digest, FileName, HostText } from '@/parts/FileName';
import { useHostNames } from '@/parts/hostNames';
import { JsonView } from '@/parts/JsonView';
import { HostLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Facts, Page, Panel } from '@/parts/Page';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { EditEntry } from './EditEntry';
import { RemoveEntries } from './RemoveEntries';
import '@/pages/alarms/alarms.css';

type Entry = Schema<'WhitelistEntry'>;
type Hit = Schema<'Hit'>;

export default function WhitelistEntry() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useVersioned('/api/v1/whitelist/{id}', { path: { id } });
  return <Shown of={found}>{(entry) => <EntryPage entry={entry} />}</Shown>;
}

function EntryPage({ entry }: { entry: Versioned<Entry> }) {
  const { t, i18n } = useTranslation('whitelist');
  const word = useWord();
  const can = useCan();
  const navigate = useNavigate();
  const [editing, setEditing] = useState(false);
  const is = entry.value;
  const names = useHostNames([is.scope === 'host' ? is.scope_id : null]);
  const group = useGet(
    '/api/v1/host-groups/{id}',
    { path: { id: is.scope_id ?? '' } },
    { enabled: is.scope === 'group' && Boolean(is.scope_id), retry: false },
  );
  const may = can('administer', is.project);
  return (
    <Page
      title={t('entry.title', { field: word('whitelistField', is.field), judge: word('judge', is.judge) })}
      beside={is.expired ? <Tag tone="quiet">{t('entry.expired')}</Tag> : <Tag tone="good">{t('entry.living')}</Tag>}
      crumbs={[{ to: '/whitelist', name: t('whitelist.title') }]}
      actions={
        may && (
          <>
            <Button onClick={() => setEditing(true)}>{t('edit.button')}</Button>
            <RemoveEntries entries={[is]} onDone={() => void navigate({ to: '/whitelist' })} />
          </>
        )
      }
    >
      <Panel>
        <Facts
          of={[
            [t('column.value'), <FileName key="v" name={is.value} bytes={is.value_b64} copy />],
            [t('column.content'), is.field === 'hash' ? t('entry.isContent') : is.any_content ? <Tag key="a" tone="medium">{t('entry.any')}</Tag> : <Digest key="s" value={is.sha256} />],
            [t('column.class'), is.class ? word('class', is.class) : t('form.everyClass')],
            [
              t('column.scope'),
              is.scope === 'host' && is.scope_id ? (
                <HostLink key="h" host={{ id: is.scope_id, name: names.get(is.scope_id) ?? is.scope_id }} />
              ) : is.scope === 'group' ? (
                <HostText key="g" text={`${word('scope', 'group')}: ${group.data?.name ?? is.scope_id ?? ''}`} />
              ) : (
                <HostText key="p" text={`${word('scope', 'project')}: ${is.project}`} />
              ),
            ],
            [t('column.description'), <HostText key="d" text={is.description} />],
            [t('column.owner'), <HostText key="o" text={is.owner} />],
            [t('column.addedBy'), <HostText key="b" text={is.added_by} />],
            [t('column.addedAt'), <Time key="t" at={is.added_at} />],
            [t('column.expires'), is.expires_at ? <Time key="e" at={is.expires_at} /> : t('entry.never')],
            [
              t('entry.alarm'),
              is.alarm ? (
                <Link key="l" to="/alarms/$id" params={{ id: is.alarm }}>
                  {t('entry.toAlarm')}
                </Link>
              ) : null,
            ],
          ]}
        />
      </Panel>
      <Panel
        flush
        title={t('hits.title')}
        extra={
          <span className="hit-figures">
            <span>
              {t('column.hits')} <strong>{numberText(is.hits_total, i18n.language)}</strong>
            </span>
            <span>
              {t('column.today')} <strong>{numberText(is.hits_today, i18n.language)}</strong>
            </span>
            <span>
              {t('column.lastHit')} <Time at={is.last_hit_at} />
            </span>
          </span>
        }
      >
        <p className="panel-text quiet">{t('hits.about')}</p>
        <Hits id={is.id} />
      </Panel>
      <Panel>
        <details>
          <summary>{t('whitelistEntry.raw')}</summary>
          <JsonView value={is} label={t('whitelistEntry.raw')} />
        </details>
      </Panel>
      {editing && <EditEntry entry={entry} onClose={() => setEditing(false)} />}
    </Page>
  );
}

function Hits({ id }: { id: string }) {
  const { t } = useTranslation('whitelist');
  const idOf = (hit: Hit) => `${hit.host} ${hit.at} ${hit.path_b64 ?? hit.path}`;
  const rows = useList('/api/v1/whitelist/{id}/hits', { path: { id } }, idOf);
  const names = useHostNames(rows.rows.map((h) => h.host));
  const columns: Column<Hit>[] = [
    { id: 'at', title: t('hits.at'), width: 156, grow: 0, render: (hit) => <Time at={hit.at} />, csv: (hit) => hit.at },
    {
      id: 'host',
      title: t('hits.host'),
      width: 150,
      render: (hit) => <HostLink host={{ id: hit.host, name: names.get(hit.host) ?? hit.host }} />,
      csv: (hit) => names.get(hit.host) ?? hit.host,
    },
    { id: 'path', title: t('hits.path'), width: 280, grow: 3, render: (hit) => <FileName name={hit.path} bytes={hit.path_b64} cut />, csv: (hit) => hit.path },
    { id: 'sha256', title: 'SHA-256', width: 150, grow: 0, render: (hit) => <Digest value={hit.sha256} />, csv: (hit) => hit.sha256 },
    { id: 'count', title: t('hits.count'), width: 80, grow: 0, align: 'right', render: (hit) => hit.count, csv: (hit) => hit.count },
  ];
  return <DataTable id="whitelist-hits" label={t('hits.title')} rows={rows} idOf={idOf} columns={columns} height={360} empty={t('hits.none')} />;
}
