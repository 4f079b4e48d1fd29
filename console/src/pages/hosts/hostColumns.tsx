// SPDX-License-Identifier: Apache-2.0
/** Columns of the list of servers. */
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import type { Column } from '@/parts/DataTable';
import { HostText, safeText } from '@/parts/FileName';
import { ListLink, ThingLink } from '@/parts/links';
import { Status, Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { useGroups, usePolicyGroups } from './names';

export type Host = Schema<'Host'>;

/** Online or not, and what else must be known of it at a glance. */
export function HostState({ host }: { host: Host }) {
  const { t } = useTranslation('hosts');
  return (
    <span className="cell-stack">
      {host.removed ? <Tag tone="quiet">{t('removed')}</Tag> : <Status kind="hostStatus" value={host.status} />}
      {host.stopped && !host.removed && <Tag tone="quiet">{t('stopped')}</Tag>}
      {host.revoked && !host.removed && <Tag tone="high">{t('revoked')}</Tag>}
    </span>
  );
}

export function Protection({ host }: { host: Host }) {
  const { state, reason } = host.protection;
  if (!reason) return <Status kind="protection" value={state} />;
  return (
    <Tooltip title={safeText(reason)}>
      <span>
        <Status kind="protection" value={state} />
      </span>
    </Tooltip>
  );
}

export function Edition({ host }: { host: Host }) {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const edition = host.edition;
  if (!edition) return <span className="none">-</span>;
  const why = [edition.reason, ...edition.not_included.map((n) => t('notIncluded', { what: n }))].filter(Boolean) as string[];
  const shown = (
    <span className="cell-stack">
      {word('edition', edition.edition)}
      {edition.quota_status && edition.quota_status !== 'normal' && <Status kind="quotaStatus" value={edition.quota_status} />}
    </span>
  );
  return why.length ? <Tooltip title={<div>{why.map((w, i) => <div key={i}>{safeText(w)}</div>)}</div>}>{shown}</Tooltip> : shown;
}

export function useHostColumns(): Column<Host>[] {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const groups = useGroups();
  const policies = usePolicyGroups();
  const groupName = (h: Host) => (h.group ? (groups.of(h.group)?.name ?? h.group) : null);
  const policyOf = (h: Host) => policies.of(groups.of(h.group)?.policy_group);
  return [
    { id: 'name', title: t('column.name'), width: 170, grow: 2, render: (h) => <ThingLink to="/hosts/$id" id={h.id}><HostText text={h.name || h.id} /></ThingLink>, csv: (h) => h.name },
    { id: 'addresses', title: t('column.addresses'), width: 130, render: (h) => <HostText text={h.addresses.join(', ')} />, csv: (h) => h.addresses.join(' ') },
    { id: 'status', title: t('column.status'), width: 110, grow: 0, render: (h) => <HostState host={h} />, csv: (h) => word('hostStatus', h.status) },
    { id: 'protection', title: t('column.protection'), width: 125, grow: 0, render: (h) => <Protection host={h} />, csv: (h) => word('protection', h.protection.state) },
    { id: 'edition', title: t('column.edition'), width: 110, grow: 0, render: (h) => <Edition host={h} />, csv: (h) => word('edition', h.edition?.edition) },
    {
      id: 'group',
      title: t('column.group'),
      width: 110,
      render: (h) => (h.group ? <ListLink to="/hosts" search={{ group: h.group }}><HostText text={groupName(h)} /></ListLink> : <span className="none">-</span>),
      csv: groupName,
    },
    {
      id: 'policy',
      title: t('column.policy'),
      width: 110,
      render: (h) => {
        const policy = policyOf(h);
        return policy ? <ThingLink to="/policies/$id" id={policy.id}><HostText text={policy.name} /></ThingLink> : <span className="none">{t('switchesOnly')}</span>;
      },
      csv: (h) => policyOf(h)?.name,
    },
    { id: 'importance', title: t('column.importance'), width: 100, grow: 0, render: (h) => <Status kind="importance" value={h.importance} />, csv: (h) => word('importance', h.importance) },
    { id: 'os', title: t('column.os'), width: 150, render: (h) => <HostText text={h.os} />, csv: (h) => h.os },
    { id: 'seen', title: t('column.seen'), width: 110, grow: 0, render: (h) => <Time at={h.seen_at} way="distance" />, csv: (h) => h.seen_at },
    { id: 'agent', title: t('column.agent'), width: 110, grow: 0, hidden: true, render: (h) => <HostText text={h.agent_version} />, csv: (h) => h.agent_version },
    { id: 'content', title: t('column.content'), width: 140, hidden: true, render: (h) => <HostText text={h.content_version} />, csv: (h) => h.content_version },
    { id: 'kernel', title: t('column.kernel'), width: 150, hidden: true, render: (h) => <HostText text={h.kernel} />, csv: (h) => h.kernel },
    { id: 'arch', title: t('column.arch'), width: 80, grow: 0, hidden: true, render: (h) => <HostText text={h.arch} />, csv: (h) => h.arch },
    { id: 'enrolled', title: t('column.enrolled'), width: 160, grow: 0, hidden: true, render: (h) => <Time at={h.enrolled_at} />, csv: (h) => h.enrolled_at },
    { id: 'applied', title: t('column.applied'), width: 120, grow: 0, hidden: true, render: (h) => (h.generation_applied >= h.generation ? t('yes') : t('notYet')), csv: (h) => h.generation_applied >= h.generation },
    { id: 'id', title: t('column.id'), width: 280, grow: 0, hidden: true, render: (h) => <code>{h.id}</code>, csv: (h) => h.id },
    { id: 'project', title: t('column.project'), width: 90, grow: 0, render: (h) => h.project, csv: (h) => h.project },
  ];
}
