// SPDX-License-Identifier: Apache-2.0
/** Servers: what protects each, and how it stands. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { ThingLink } from '@/parts/links';
import { Status, useWord } from '@/parts/tags';
import { Page, PageTabs } from '@/parts/Page';

type Row = Schema<'Host'>;

export default function Hosts() {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/hosts', { query: projectQuery }, (row) => row.id);
  const columns: Column<Row>[] = [
    { id: 'name', title: t('column.name'), width: 180, render: (row) => <ThingLink to="/hosts/$id" id={row.id}><HostText text={row.name} /></ThingLink>, csv: (row) => row.name },
    { id: 'addresses', title: t('column.addresses'), width: 170, render: (row) => <HostText text={row.addresses.join(', ')} />, csv: (row) => row.addresses.join(' ') },
    { id: 'status', title: t('column.status'), width: 110, grow: 0, render: (row) => <Status kind="hostStatus" value={row.status} />, csv: (row) => word('hostStatus', row.status) },
    { id: 'protection', title: t('column.protection'), width: 110, grow: 0, render: (row) => <Status kind="protection" value={row.protection.state} />, csv: (row) => word('protection', row.protection.state) },
    { id: 'edition', title: t('column.edition'), width: 120, grow: 0, render: (row) => word('edition', row.edition?.edition), csv: (row) => word('edition', row.edition?.edition) },
    { id: 'importance', title: t('column.importance'), width: 110, grow: 0, render: (row) => <Status kind="importance" value={row.importance} />, csv: (row) => word('importance', row.importance) },
    { id: 'os', title: t('column.os'), width: 150, render: (row) => <HostText text={row.os} />, csv: (row) => row.os },
    { id: 'agent', title: t('column.agent'), width: 110, grow: 0, render: (row) => <HostText text={row.agent_version} />, csv: (row) => row.agent_version },
    { id: 'seen', title: t('column.seen'), width: 160, grow: 0, render: (row) => <Time at={row.seen_at} />, csv: (row) => row.seen_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (row) => row.project, csv: (row) => row.project },
  ];
  return (
    <Page title={t('hosts.title')} tabs={<PageTabs label={t('tabs')} tabs={[{ to: '/hosts', name: t('hosts.title') }, { to: '/host-groups', name: t('hostGroups.title') }, { to: '/quotas', name: t('quotas.title') }]} />}>
      <DataTable id="hosts-hosts" label={t('hosts.title')} rows={rows} idOf={(row) => row.id} columns={columns} onOpen={(row) => void navigate({ to: '/hosts/$id', params: { id: row.id } })} />
    </Page>
  );
}
