// SPDX-License-Identifier: Apache-2.0
/** Rules that only alarm, because of a false positive or because somebody said so; and their way back. */
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { HostText, safeText } from '@/parts/FileName';
import { ThingLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Time } from '@/parts/Time';

type Row = Schema<'DisarmedRule'>;

export function DisarmedRules() {
  const { t } = useTranslation('install');
  const can = useCan();
  const { projectQuery } = useProject();
  const { done } = useFeedback();
  const rows = wholeList(useGet('/api/v1/disarmed-rules', { query: projectQuery }));
  const arm = useSend('delete', '/api/v1/disarmed-rules/{rule}');
  const disarm = useSend('post', '/api/v1/disarmed-rules');
  const columns: Column<Row>[] = [
    { id: 'rule', title: t('column.rule'), width: 220, render: (r) => <HostText text={r.rule} />, csv: (r) => r.rule },
    { id: 'reason', title: t('column.reason'), width: 240, grow: 2, render: (r) => <HostText text={r.reason} />, csv: (r) => r.reason },
    { id: 'alarm', title: t('column.alarm'), width: 120, grow: 0, render: (r) => (r.alarm ? <ThingLink to="/alarms/$id" id={r.alarm}>{t('disarmed.toAlarm')}</ThingLink> : <span className="none">-</span>), csv: (r) => r.alarm },
    { id: 'disarmedBy', title: t('column.disarmedBy'), width: 130, render: (r) => <HostText text={r.disarmed_by} />, csv: (r) => r.disarmed_by },
    { id: 'disarmed', title: t('column.disarmed'), width: 160, grow: 0, render: (r) => <Time at={r.disarmed_at} />, csv: (r) => r.disarmed_at },
    { id: 'project', title: t('column.project'), width: 100, grow: 0, render: (r) => r.project, csv: (r) => r.project },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 110,
      grow: 0,
      render: (r) =>
        can('administer', r.project) && (
          <ConfirmAction
            label={t('disarmed.arm')}
            button={{ type: 'link', size: 'small' }}
            title={t('disarmed.armTitle')}
            text={t('disarmed.armText')}
            names={[r.rule]}
            verb={t('disarmed.arm')}
            danger
            action={async () => {
              await arm.mutateAsync({ path: { rule: r.rule }, query: { project: r.project } });
              done(t('disarmed.armed', { rule: safeText(r.rule) }), {
                undo: () => disarm.mutateAsync({ body: { project: r.project, rule: r.rule, reason: r.reason } }),
              });
            }}
          />
        ),
    },
  ];
  return (
    <div className="below">
      <Panel title={t('disarmed.title')} flush>
        <p className="quiet panel-note">{t('disarmed.about')}</p>
        <DataTable id="disarmed-rules" label={t('disarmed.title')} rows={rows} idOf={(r) => `${r.project} ${r.rule}`} columns={columns} height={240} empty={t('disarmed.none')} />
      </Panel>
    </div>
  );
}
