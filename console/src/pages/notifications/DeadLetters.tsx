// SPDX-License-Identifier: Apache-2.0
/** Messages that were given up: read why, send again, forget. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ThingLink } from '@/parts/links';
import { Page } from '@/parts/Page';
import { ProjectName } from '@/parts/projects';
import { Time } from '@/parts/Time';
import { NotificationTabs } from './NotificationTabs';

type Row = Schema<'DeadLetter'>;

export default function DeadLetters() {
  const { t } = useTranslation('notifications');
  const can = useCan();
  const { done, failed } = useFeedback();
  const targets = useGet('/api/v1/targets');
  const items = targets.data?.items;
  const fields = useMemo<FilterField[]>(
    () => [{ name: 'target', kind: 'one', label: t('dead.target'), options: (items ?? []).map((x) => ({ value: x.id, label: x.name })) }],
    [t, items],
  );
  const filters = useFilters<QueryOf<'/api/v1/dead-letters'>>(fields);
  const rows = useList('/api/v1/dead-letters', { query: filters.query }, (r) => r.id);
  const changes = { changes: ['/api/v1/dead-letters', '/api/v1/targets'] };
  const retry = useSend('post', '/api/v1/dead-letters/{id}/retry', changes);
  const forget = useSend('delete', '/api/v1/dead-letters/{id}', changes);
  const nameOf = (id: string) => items?.find((x) => x.id === id)?.name ?? id;

  const columns: Column<Row>[] = [
    { id: 'at', title: t('dead.at'), width: 160, grow: 0, render: (r) => <Time at={r.failed_at} />, csv: (r) => r.failed_at },
    { id: 'target', title: t('dead.target'), width: 160, render: (r) => <ThingLink to="/notifications/$id" id={r.target}><HostText text={nameOf(r.target)} /></ThingLink>, csv: (r) => nameOf(r.target) },
    { id: 'subject', title: t('dead.subject'), width: 240, grow: 2, render: (r) => <HostText text={r.subject} />, csv: (r) => r.subject },
    { id: 'alarms', title: t('dead.alarms'), width: 80, grow: 0, align: 'right', render: (r) => r.alarms, csv: (r) => r.alarms },
    { id: 'error', title: t('column.error'), width: 260, grow: 2, render: (r) => <HostText text={r.error} />, csv: (r) => r.error },
    { id: 'attempts', title: t('dead.attempts'), width: 80, grow: 0, align: 'right', render: (r) => r.attempts, csv: (r) => r.attempts },
    { id: 'project', title: t('column.project'), width: 110, render: (r) => <ProjectName id={r.project} />, csv: (r) => r.project },
  ];
  const sendAgain = async (chosen: Row[]) => {
    const errors: string[] = [];
    for (const r of chosen) {
      const answer = await retry.mutateAsync({ path: { id: r.id } });
      if (!answer.delivered) errors.push(`${r.subject}: ${answer.error ?? ''}`);
    }
    if (errors.length) failed(new Error(errors.slice(0, 5).join('\n')), t('dead.notTaken', { count: errors.length }));
    if (errors.length < chosen.length) done(t('dead.sent', { count: chosen.length - errors.length }));
  };
  const batch = can('administer')
    ? (chosen: Row[], clear: () => void) => (
        <>
          <ConfirmAction label={t('dead.retry')} title={t('dead.retryTitle')} text={t('dead.retryText')} names={chosen.map((r) => r.subject)} verb={t('dead.retry')} button={{ size: 'small' }} action={async () => { await sendAgain(chosen); clear(); }} />
          <ConfirmAction
            label={t('dead.forget')} title={t('dead.forgetTitle')} text={t('dead.forgetText')} names={chosen.map((r) => r.subject)} verb={t('dead.forget')} danger button={{ size: 'small' }}
            action={async () => { for (const r of chosen) await forget.mutateAsync({ path: { id: r.id } }); clear(); done(t('dead.forgotten', { count: chosen.length })); }}
          />
        </>
      )
    : undefined;
  return (
    <Page title={t('notifications.title')} about={t('dead.about')} tabs={<NotificationTabs />}>
      <FilterBar id="dead-letters" of={filters} />
      <DataTable id="dead-letters" label={t('dead.title')} rows={rows} idOf={(r) => r.id} columns={columns} batch={batch} filtered={filters.active > 0} onClearFilters={filters.clear} empty={t('dead.none')} />
    </Page>
  );
}
