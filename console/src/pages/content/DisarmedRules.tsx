// SPDX-License-Identifier: Apache-2.0
/** Rules that only alarm in a project, by a false positive or by hand; each can act again. */
import { Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { ThingLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Time } from '@/parts/Time';

type Row = Schema<'DisarmedRule'>;

export function DisarmedRules({ project }: { project: string }) {
  const { t } = useTranslation('content');
  const can = useCan()('administer', project);
  const { done } = useFeedback();
  const [rule, setRule] = useState('');
  const [reason, setReason] = useState('');
  const rows = wholeList(useGet('/api/v1/disarmed-rules', { query: { project } }));
  const disarm = useSend('post', '/api/v1/disarmed-rules');
  const rearm = useSend('delete', '/api/v1/disarmed-rules/{rule}');
  const put = async (name: string, why: string) => {
    await disarm.mutateAsync({ body: { project, rule: name, reason: why } });
    done(t('disarmed'), { undo: () => take({ rule: name, reason: why }) });
  };
  const take = async (row: Pick<Row, 'rule' | 'reason'>) => {
    await rearm.mutateAsync({ path: { rule: row.rule }, query: { project } });
    done(t('rearmed'), { undo: () => put(row.rule, row.reason) });
  };
  const columns: Column<Row>[] = [
    { id: 'rule', title: t('column.rule'), width: 220, render: (r) => <HostText text={r.rule} code />, csv: (r) => r.rule },
    { id: 'reason', title: t('column.reason'), width: 240, grow: 2, render: (r) => <HostText text={r.reason} />, csv: (r) => r.reason },
    { id: 'alarm', title: t('column.alarm'), width: 120, grow: 0, render: (r) => (r.alarm ? <ThingLink to="/alarms/$id" id={r.alarm}>{t('falsePositive')}</ThingLink> : t('byHand')), csv: (r) => r.alarm },
    { id: 'by', title: t('column.by'), width: 110, render: (r) => <HostText text={r.disarmed_by} />, csv: (r) => r.disarmed_by },
    { id: 'at', title: t('column.at'), width: 160, grow: 0, render: (r) => <Time at={r.disarmed_at} />, csv: (r) => r.disarmed_at },
    {
      id: 'actions', title: t('column.actions'), width: 130, grow: 0,
      render: (r) => can && <ConfirmAction label={t('rearm')} button={{ type: 'link', size: 'small', danger: false }} title={t('rearmTitle')} text={t('rearmText')} names={[r.rule]} verb={t('rearm')} danger action={() => take(r)} />,
    },
  ];
  const add = can && (
    <ConfirmAction
      label={t('disarm')} title={t('disarmTitle')} text={t('disarmText')} verb={t('disarm')} ready={rule.trim() !== ''}
      action={async () => { await put(rule.trim(), reason.trim()); setRule(''); setReason(''); }}
    >
      <label>{t('column.rule')}<Input value={rule} onChange={(e) => setRule(e.target.value)} maxLength={256} spellCheck={false} autoFocus /></label>
      <label>{t('column.reason')}<Input value={reason} onChange={(e) => setReason(e.target.value)} maxLength={512} /></label>
    </ConfirmAction>
  );
  return (
    <Panel title={t('disarmedTitle')} flush extra={add}>
      <p className="quiet panel-text">{t('disarmedText')}</p>
      <DataTable id="disarmed" label={t('disarmedTitle')} rows={rows} idOf={(r) => r.rule} columns={columns} height={280} empty={t('noneDisarmed')} />
    </Panel>
  );
}
