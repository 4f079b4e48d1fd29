// SPDX-License-Identifier: Apache-2.0
/** One server: what it is, how it is protected, and everything that happened on it. */
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import type { Search } from '@/app/search';
import { Shown } from '@/app/states';
import { safeText } from '@/parts/FileName';
import { JsonView } from '@/parts/JsonView';
import { numberText } from '@/parts/numbers';
import { Page, Panel } from '@/parts/Page';
import { Status } from '@/parts/tags';
import { HostState, Protection } from './hostColumns';
import { HostActions } from './HostActions';
import { HostActivity } from './HostActivity';
import { HostAlarms, HostFiles, HostIsolated, HostOrders, HostScans } from './HostLists';
import { HostOverview } from './HostOverview';
import './hosts.css';

export type Full = Schema<'HostFull'>;

const TABS = ['overview', 'alarms', 'isolated', 'scans', 'files', 'activity', 'orders', 'raw'] as const;
type Tab = (typeof TABS)[number];

export default function Host() {
  const { t } = useTranslation('hosts');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const search = useSearch({ strict: false }) as Search;
  const found = useGet('/api/v1/hosts/{id}', { path: { id } }, { refetchInterval: 60_000 });
  const tab = TABS.find((one) => one === search.tab) ?? 'overview';
  return (
    <Shown of={found}>
      {(full) => (
        <Page
          title={full.host.name || full.host.id}
          crumbs={[{ to: '/hosts', name: t('hosts.title') }]}
          beside={
            <span className="host-state">
              <HostState host={full.host} />
              <Protection host={full.host} />
              <Status kind="importance" value={full.host.importance} />
            </span>
          }
          actions={<HostActions full={full} />}
          tabs={<Tabs full={full} here={tab} />}
        >
          {full.host.removed && <Alert type="info" showIcon className="door-error" title={t('host.isRemoved')} />}
          {full.host.revoked && !full.host.removed && <Alert type="warning" showIcon className="door-error" title={t('host.isRevoked')} />}
          <Content tab={tab} full={full} />
        </Page>
      )}
    </Shown>
  );
}

function Content({ tab, full }: { tab: Tab; full: Full }) {
  const { t } = useTranslation('hosts');
  const { id } = full.host;
  switch (tab) {
    case 'alarms':
      return <HostAlarms id={id} />;
    case 'isolated':
      return <HostIsolated id={id} />;
    case 'scans':
      return <HostScans id={id} />;
    case 'files':
      return <HostFiles id={id} />;
    case 'activity':
      return <HostActivity id={id} />;
    case 'orders':
      return <HostOrders id={id} />;
    case 'raw':
      return (
        <Panel>
          <JsonView value={full} label={t('host.raw')} />
        </Panel>
      );
    default:
      return <HostOverview full={full} />;
  }
}

/** Tabs are addresses: a link to the alarms of a server shows them. */
function Tabs({ full, here }: { full: Full; here: Tab }) {
  const { t, i18n } = useTranslation('hosts');
  const count: Partial<Record<Tab, number | null | undefined>> = { alarms: full.alarms_unhandled, isolated: full.isolated };
  return (
    <nav className="tabs" aria-label={safeText(full.host.name)}>
      {TABS.map((tab) => (
        <Link
          key={tab}
          to="/hosts/$id"
          params={{ id: full.host.id }}
          search={(before: Search) => ({ project: before.project, tab: tab === 'overview' ? undefined : tab })}
          className={tab === here ? 'page-tab page-tab-here' : 'page-tab'}
          aria-current={tab === here ? 'page' : undefined}
        >
          {t(`host.tab.${tab}`)}
          {count[tab] ? ` (${numberText(count[tab], i18n.language)})` : ''}
        </Link>
      ))}
    </nav>
  );
}
