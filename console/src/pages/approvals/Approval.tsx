// SPDX-License-Identifier: Apache-2.0
/** One order that waits, or waited: what is asked, who asked, and the second person's yes or no. */
import { useParams } from '@tanstack/react-router';
import { Alert } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useMe } from '@/app/session';
import { Shown } from '@/app/states';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { JsonView } from '@/parts/JsonView';
import { ListLink, ThingLink } from '@/parts/links';
import { Facts, Page, Panel } from '@/parts/Page';
import { useProjects } from '@/parts/projects';
import { Status } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { TextArea } from '@/parts/TextArea';

type Row = Schema<'Approval'>;

const EVERYTHING = ['/api/v1/approvals', '/api/v1/switches', '/api/v1/projects', '/api/v1/alarms', '/api/v1/isolated-files', '/api/v1/files', '/api/v1/tasks', '/api/v1/commands'];

export default function Approval() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/approvals/{id}', { path: { id } }, { refetchInterval: (q) => (q.state.data?.state === 'pending' ? 10_000 : false) });
  return <Shown of={found}>{(row) => <ApprovalPage row={row} />}</Shown>;
}

function ApprovalPage({ row }: { row: Row }) {
  const { t } = useTranslation('approvals');
  const me = useMe();
  const can = useCan();
  const { nameOf } = useProjects();
  const own = row.ordered_by === me.name;
  const waits = row.state === 'pending';
  const may = row.projects.every((p) => can('administer', p));
  const result = row.result as { task?: unknown; scan?: unknown } | null | undefined;
  const title = <HostText text={row.title} />;
  return (
    <Page
      title={row.title}
      beside={<Status kind="approvalState" value={row.state} />}
      crumbs={[{ to: '/approvals', name: t('approvals.title') }]}
      actions={
        waits && (
          <>
            {own && <Say row={row} what="cancel" />}
            {!own && may && <Say row={row} what="reject" />}
            {!own && may && <Say row={row} what="approve" />}
          </>
        )
      }
    >
      {waits && own && <Alert type="info" showIcon title={t('own')} className="door-error" />}
      {waits && !own && !may && <Alert type="info" showIcon title={t('notYours')} className="door-error" />}
      <Panel title={t('what')}>
        <p>{title}</p>
        <Facts
          of={[
            [t('column.by'), <HostText key="b" text={row.ordered_by} />],
            [t('column.created'), <Time key="c" at={row.created_at} />],
            [t('column.expires'), <Time key="e" at={row.expires_at} />],
            [t('column.projects'), <HostText key="p" text={row.projects.map(nameOf).join(', ')} />],
            [t('column.decidedBy'), row.decided_by ? <HostText key="d" text={row.decided_by} /> : null],
            [t('decided'), row.decided_at ? <Time key="a" at={row.decided_at} /> : null],
            [t('remark'), row.remark ? <HostText key="r" text={row.remark} /> : null],
            [t('action'), <code key="x">{row.action}</code>],
          ]}
        />
        <p>
          {typeof result?.task === 'string' && <ThingLink to="/orders/$id" id={result.task}>{t('toTask')}</ThingLink>}
          {typeof result?.scan === 'string' && <ThingLink to="/scans/$id" id={result.scan}>{t('toScan')}</ThingLink>}{' '}
          {can('audit') && <ListLink to="/audit" search={{ target: `approval ${row.id}` }}>{t('toAudit')}</ListLink>}
        </p>
      </Panel>
      <Panel title={t('request')}>
        <p className="quiet">{t('requestText')}</p>
        <JsonView value={row.request} label={t('request')} />
      </Panel>
      {row.result && (
        <Panel title={t('result')}>
          <JsonView value={row.result} label={t('result')} />
        </Panel>
      )}
    </Page>
  );
}

function Say({ row, what }: { row: Row; what: 'approve' | 'reject' | 'cancel' }) {
  const { t } = useTranslation('approvals');
  const { done } = useFeedback();
  const [remark, setRemark] = useState('');
  const yes = useSend('post', '/api/v1/approvals/{id}/approve', { changes: EVERYTHING });
  const no = useSend('post', '/api/v1/approvals/{id}/reject');
  const back = useSend('post', '/api/v1/approvals/{id}/cancel');
  const send = { approve: yes, reject: no, cancel: back }[what];
  return (
    <ConfirmAction
      label={t(`verb.${what}`)}
      button={{ type: what === 'approve' ? 'primary' : undefined }}
      title={t(`title.${what}`)}
      text={t(`text.${what}`)}
      names={[row.title]}
      verb={t(`verb.${what}`)}
      danger={what === 'reject'}
      action={async () => {
        await send.mutateAsync({ path: { id: row.id }, body: { remark: remark.trim() } });
        done(t(`done.${what}`));
      }}
    >
      <label>
        {t('remark')}
        <TextArea value={remark} onChange={(e) => setRemark(e.target.value)} maxLength={512} least={2} most={5} />
      </label>
    </ConfirmAction>
  );
}
