// SPDX-License-Identifier: Apache-2.0
/** How many servers may have which edition, and who has it. */
import { PlusOutlined } from '@ant-design/icons';
import { Button, Dropdown } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read, useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import { useCan } from '@/app/permissions';
import { State } from '@/app/states';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { numberText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { Status, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { BindDialog } from './BindDialog';
import { useChosenOnly, useProjectNames, useQuotaText, type Quota } from './names';
import { changeOf, EditQuota, NewQuota } from './QuotaDialog';
import { AssetTabs } from './tabs';
import './hosts.css';

const CHANGES = ['/api/v1/quotas', '/api/v1/hosts'];
type What = 'give' | 'take' | 'edit' | 'freeze' | 'thaw' | 'delete';

export default function Quotas() {
  const { t, i18n } = useTranslation('hosts');
  const word = useWord();
  const options = useOptions();
  const can = useCan();
  const projects = useProjectNames();
  const chosenOnly = useChosenOnly();
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState<{ what: What; quota: Quota } | null>(null);
  const fields: FilterField[] = [
    { name: 'edition', kind: 'many', label: t('column.edition'), options: options('edition', ['basic', 'professional', 'enterprise', 'premium', 'wtp', 'container']) },
    { name: 'quota_status', kind: 'one', label: t('column.quotaStatus'), options: options('quotaStatus', ['normal', 'expired', 'freeze']) },
    { name: 'used', kind: 'flag', label: t('quota.inUse') },
    { name: 'automatic', kind: 'flag', label: t('column.automatic') },
  ];
  const filters = useFilters(fields);
  const v = filters.values;
  const found = useGet('/api/v1/quotas');
  const items = chosenOnly(found.data?.items ?? []).filter(
    (q) =>
      (!v.edition || v.edition.split(',').includes(q.edition)) &&
      (!v.quota_status || q.quota_status === v.quota_status) &&
      (!v.used || String(q.used > 0) === v.used) &&
      (!v.automatic || String(q.automatic) === v.automatic),
  );
  const rows = wholeList({ ...found, data: found.data && { items } });
  const all = can('administer_all');
  const bindable = (q: Quota) => (q.project === '*' ? can('administer') : can('administer', q.project));
  const number = (n: number | null | undefined) => (typeof n === 'number' ? numberText(n, i18n.language) : '-');
  const actions = (q: Quota): What[] => [
    ...(bindable(q) ? (['give', ...(q.used > 0 ? ['take'] : [])] as What[]) : []),
    ...(all ? (['edit', q.quota_status === 'freeze' ? 'thaw' : 'freeze', 'delete'] as What[]) : []),
  ];

  const columns: Column<Quota>[] = [
    { id: 'edition', title: t('column.edition'), width: 150, grow: 0, render: (q) => word('edition', q.edition), csv: (q) => word('edition', q.edition) },
    { id: 'quotaStatus', title: t('column.quotaStatus'), width: 110, grow: 0, render: (q) => <Status kind="quotaStatus" value={q.quota_status} />, csv: (q) => word('quotaStatus', q.quota_status) },
    { id: 'used', title: t('column.used'), width: 80, grow: 0, align: 'right', render: (q) => number(q.used), csv: (q) => q.used },
    { id: 'idle', title: t('column.idle'), width: 80, grow: 0, align: 'right', render: (q) => (q.unlimited ? t('quota.unlimited') : number(q.idle)), csv: (q) => q.idle },
    { id: 'total', title: t('column.total'), width: 90, grow: 0, align: 'right', render: (q) => (q.unlimited ? t('quota.unlimited') : number(q.total)), csv: (q) => q.total },
    { id: 'automatic', title: t('column.automatic'), width: 140, grow: 0, render: (q) => t(q.automatic ? 'yes' : 'no'), csv: (q) => q.automatic },
    { id: 'expires', title: t('column.expires'), width: 170, grow: 0, render: (q) => (q.expires_at ? <Time at={q.expires_at} /> : t('never')), csv: (q) => q.expires_at },
    { id: 'note', title: t('column.note'), width: 180, grow: 2, render: (q) => <HostText text={q.note} />, csv: (q) => q.note },
    { id: 'project', title: t('column.project'), width: 150, grow: 0, render: (q) => projects.name(q.project), csv: (q) => q.project },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 150,
      grow: 0,
      render: (q) => {
        const [first, ...more] = actions(q);
        return (
          <>
            {first && (
              <Button type="link" size="small" onClick={() => setOpen({ what: first, quota: q })}>
                {t(`quota.${first}`)}
              </Button>
            )}
            {more.length > 0 && (
              <Dropdown
                trigger={['click']}
                menu={{
                  items: more.map((w) => ({ key: w, label: t(`quota.${w}`), danger: w === 'delete' })),
                  onClick: ({ key, domEvent }) => {
                    domEvent.stopPropagation();
                    setOpen({ what: key as What, quota: q });
                  },
                }}
              >
                <Button type="link" size="small" aria-haspopup="menu">
                  {t('more')}
                </Button>
              </Dropdown>
            )}
          </>
        );
      },
    },
  ];
  const add = all && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>
      {t('quota.new')}
    </Button>
  );
  const close = () => setOpen(null);
  return (
    <Page title={t('tabs')} tabs={<AssetTabs />} actions={add}>
      <FilterBar id="quotas" of={filters} />
      <DataTable
        id="quotas"
        label={t('quotas.title')}
        rows={rows}
        idOf={(q) => q.id}
        columns={columns}
        filtered={filters.active > 0}
        onClearFilters={filters.clear}
        empty={<State title={t('quota.none')} actions={add}>{t('quota.noneText')}</State>}
      />
      {making && <NewQuota onClose={() => setMaking(false)} />}
      {open?.what === 'edit' && <EditQuota quota={open.quota} onClose={close} />}
      {open && (open.what === 'give' || open.what === 'take') && <BindDialog quota={open.quota} take={open.what === 'take'} onClose={close} />}
      {open && (open.what === 'freeze' || open.what === 'thaw' || open.what === 'delete') && <StateDialog {...open} what={open.what} onClose={close} />}
    </Page>
  );
}

/** Freezes, lets go on, deletes: always by the newest form of the quota. */
function StateDialog({ what, quota, onClose }: { what: 'freeze' | 'thaw' | 'delete'; quota: Quota; onClose: () => void }) {
  const { t } = useTranslation('hosts');
  const { done } = useFeedback();
  const quotaText = useQuotaText();
  const change = useSend('put', '/api/v1/quotas/{id}', { changes: CHANGES });
  const remove = useSend('delete', '/api/v1/quotas/{id}', { changes: CHANGES });
  const create = useSend('post', '/api/v1/quotas', { changes: CHANGES });
  const path = { id: quota.id };
  const set = async (state: string) => {
    const now = await read('/api/v1/quotas/{id}', { path });
    await change.mutateAsync({ path, ifMatch: `"${now.revision}"`, body: { ...changeOf(now), quota_status: state } });
  };
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t(`quota.${what}Title`)}
      text={t(`quota.${what}Text`, { count: quota.used })}
      names={[quotaText(quota)]}
      verb={t(`quota.${what}`)}
      danger={what !== 'thaw'}
      action={async () => {
        if (what === 'delete') {
          const now = await read('/api/v1/quotas/{id}', { path });
          await remove.mutateAsync({ path, ifMatch: `"${now.revision}"` });
          const again = { project: now.project, edition: now.edition, ...changeOf(now) };
          delete again.quota_status;
          done(t('quota.deleteDone'), { undo: () => create.mutateAsync({ body: again }) });
          return;
        }
        await set(what === 'freeze' ? 'freeze' : 'normal');
        done(t(`quota.${what}Done`), { undo: () => set(what === 'freeze' ? 'normal' : 'freeze') });
      }}
    />
  );
}
