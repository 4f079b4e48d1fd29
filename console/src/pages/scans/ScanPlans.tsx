// SPDX-License-Identifier: Apache-2.0
/** Plans of scans: when they begin, what they scan; made, changed, run at once, deleted. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read, useGet, useSend, useVersioned, send } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { Page } from '@/parts/Page';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { EMPTY, fieldsOf, settingsOf, startOf, type Fields } from './plan';
import { ScanForm } from './ScanForm';
import { ScanTabs } from './Scans';
import { useStartText } from './startText';

type Row = Schema<'ScanPolicy'>;
const CHANGES = ['/api/v1/scan-policies'];

export default function ScanPlans() {
  const { t } = useTranslation('scans');
  const word = useWord();
  const can = useCan();
  const navigate = useNavigate();
  const startText = useStartText();
  const { done } = useFeedback();
  const { project } = useProject();
  const { plan } = useSearch({ strict: false }) as { plan?: string };
  const [making, setMaking] = useState(false);
  const found = wholeList(useGet('/api/v1/scan-policies'));
  const own = found.rows.filter((row) => project === undefined || row.project === project);
  const rows = { ...found, rows: own, total: own.length };
  const create = useSend('post', '/api/v1/scan-policies', { changes: CHANGES });
  const begin = useSend('post', '/api/v1/scan-tasks', { changes: ['/api/v1/scan-tasks'] });
  const open = (id: string | undefined) => void navigate({ to: '.', search: (before: Record<string, unknown>) => ({ ...before, plan: id }) });

  const where = (row: Row) =>
    row.settings.all_hosts ? t('plan.all') : t('plan.some', { hosts: row.settings.hosts?.length ?? 0, groups: row.settings.groups?.length ?? 0 });
  const acts = (row: Row) => (row.settings.automatic ? t('plan.isolates') : t('plan.alarms'));
  const columns: Column<Row>[] = [
    {
      id: 'name',
      title: t('column.name'),
      width: 180,
      grow: 2,
      render: (row) => (
        <button type="button" className="link" onClick={() => open(row.id)}>
          <HostText text={row.name} />
        </button>
      ),
      csv: (row) => row.name,
    },
    { id: 'kind', title: t('column.kind'), width: 90, grow: 0, render: (row) => word('scanKind', row.settings.kind), csv: (row) => word('scanKind', row.settings.kind) },
    { id: 'start', title: t('column.start'), width: 220, grow: 1, render: (row) => startText(row.start), csv: (row) => startText(row.start) },
    { id: 'next', title: t('column.next'), width: 160, grow: 0, render: (row) => <Time at={row.next_at} />, csv: (row) => row.next_at },
    { id: 'where', title: t('column.hosts'), width: 170, render: where, csv: where },
    { id: 'acts', title: t('column.acts'), width: 140, grow: 0, render: (row) => <Tag tone={row.settings.automatic ? 'medium' : 'quiet'}>{acts(row)}</Tag>, csv: acts },
    { id: 'updatedBy', title: t('column.updatedBy'), width: 110, hidden: true, render: (row) => <HostText text={row.updated_by} />, csv: (row) => row.updated_by },
    { id: 'updated', title: t('column.updated'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.updated_at} />, csv: (row) => row.updated_at },
    { id: 'project', title: t('column.project'), width: 90, grow: 0, render: (row) => <HostText text={row.project} />, csv: (row) => row.project },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 190,
      grow: 0,
      render: (row) =>
        can('operate', row.project) && (
          <span className="tight">
            <ConfirmAction
              label={t('run.button')}
              button={{ size: 'small' }}
              title={t('run.title')}
              text={
                <>
                  {word('scanKind', row.settings.kind)} · {where(row)} · {acts(row)}
                </>
              }
              names={[row.name]}
              verb={t('begin')}
              action={async () => {
                const task = await begin.mutateAsync({ body: { name: row.name, project: row.project, settings: row.settings } });
                done(t('begun'));
                void navigate({ to: '/scans/$id', params: { id: task.id } });
              }}
            />
            <DeletePlan of={row} />
          </span>
        ),
    },
  ];
  const make = async (f: Fields) => {
    const made = await create.mutateAsync({ body: { name: f.name, project: f.project, settings: settingsOf(f), start: startOf(f) } });
    done(t('plan.made'), { undo: () => removePlan(made.id) });
  };
  const undoChanges = useGet('/api/v1/scan-policies').refetch;
  const removePlan = async (id: string) => {
    await deleteNow(id);
    await undoChanges();
  };
  return (
    <Page
      title={t('heading')}
      about={t('scanPlans.about')}
      tabs={<ScanTabs />}
      actions={
        can('operate') && (
          <Button type="primary" onClick={() => setMaking(true)}>
            {t('plan.new')}
          </Button>
        )
      }
    >
      <DataTable
        id="scan-plans"
        label={t('scanPlans.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        empty={t('scanPlans.empty')}
        onOpen={(row) => open(row.id)}
      />
      {making && (
        <ScanForm title={t('plan.new')} verb={t('plan.make')} planned initial={{ ...EMPTY, project: project ?? EMPTY.project }} onSubmit={make} onClose={() => setMaking(false)} />
      )}
      {plan && <EditPlan key={plan} id={plan} onClose={() => open(undefined)} />}
    </Page>
  );
}

/** With the newest `ETag`: for an undo that follows at once. */
async function deleteNow(id: string): Promise<void> {
  const now = await read('/api/v1/scan-policies/{id}', { path: { id } });
  await send('delete', '/api/v1/scan-policies/{id}', { path: { id }, ifMatch: `"${now.revision}"` });
}

function DeletePlan({ of }: { of: Row }) {
  const { t } = useTranslation('scans');
  const { done } = useFeedback();
  const remove = useSend('delete', '/api/v1/scan-policies/{id}', { changes: CHANGES });
  const create = useSend('post', '/api/v1/scan-policies', { changes: CHANGES });
  return (
    <ConfirmAction
      label={t('plan.delete')}
      button={{ size: 'small' }}
      danger
      title={t('plan.deleteTitle')}
      text={t('plan.deleteText')}
      names={[of.name]}
      verb={t('plan.delete')}
      action={async () => {
        await remove.mutateAsync({ path: { id: of.id }, ifMatch: `"${of.revision}"` });
        const { name, project, settings, start } = of;
        done(t('plan.deleted'), { undo: () => create.mutateAsync({ body: { name, project, settings, start } }) });
      }}
    />
  );
}

function EditPlan({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation('scans');
  const can = useCan();
  const { done } = useFeedback();
  const found = useVersioned('/api/v1/scan-policies/{id}', { path: { id } }, { staleTime: 0, refetchOnWindowFocus: false });
  const change = useSend('put', '/api/v1/scan-policies/{id}', { changes: CHANGES });
  if (!found.data || !can('operate', found.data.value.project)) return null;
  const { value, etag } = found.data;
  const save = async (f: Fields) => {
    const { name, settings, start } = value;
    const after = await change.mutateAsync({ path: { id }, ifMatch: etag, body: { name: f.name, settings: settingsOf(f), start: startOf(f, start.timezone_offset ?? undefined) } });
    done(t('plan.changed'), {
      undo: () => change.mutateAsync({ path: { id }, ifMatch: `"${after.revision}"`, body: { name, settings, start } }),
    });
  };
  return <ScanForm title={t('plan.change')} verb={t('plan.save')} planned fixedProject offset={value.start.timezone_offset} initial={fieldsOf(value)} onSubmit={save} onClose={onClose} />;
}
