// SPDX-License-Identifier: Apache-2.0
/** What people wrote: filters, each write before and after, and whether the chain of rows is whole. */
import { Alert, Button, Drawer } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { read } from '@/api/hooks';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Allowed } from '@/app/states';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { Digest, HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { JsonView } from '@/parts/JsonView';
import { numberText } from '@/parts/numbers';
import { Facts, Page } from '@/parts/Page';
import { ProjectName } from '@/parts/projects';
import { Time } from '@/parts/Time';
import { differences } from './differences';
import './audit.css';

type Row = Schema<'AuditEntry'>;

/** Beginnings of actions; with a dot at its end everything below. */
const AREAS = ['alarm.', 'isolated.', 'switch.', 'cloud_scan.', 'policy_group.', 'host.', 'host_group.', 'whitelist.', 'scan.', 'file.', 'sample.', 'target.', 'content.', 'rule.', 'approval.', 'project.', 'user.', 'session.', 'api_key.', 'access_key.', 'second_factor.', 'quota.', 'enrolment_token.', 'server.', 'scan_policy.', 'dead_letter.', 'recovery_key.', 'command.', 'task.'];

function AuditList() {
  const { t } = useTranslation('audit');
  const can = useCan();
  const [shown, setShown] = useState<Row | null>(null);
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'target', kind: 'search', label: t('filter.target') },
      { name: 'who', kind: 'text', label: t('filter.who') },
      { name: 'area', kind: 'one', label: t('filter.area'), options: AREAS.map((a) => ({ value: a, label: t(`area.${a.slice(0, -1)}`) })) },
      { name: 'action', kind: 'text', label: t('filter.action') },
      { name: 'period', kind: 'period', label: t('filter.period'), days: false },
    ],
    [t],
  );
  const filters = useFilters<QueryOf<'/api/v1/audit'> & { area?: string }>(fields);
  const { area, ...query } = filters.query;
  const rows = useList('/api/v1/audit', { query: { ...query, action: query.action ?? area } }, (row) => String(row.seq));
  const columns: Column<Row>[] = [
    { id: 'seq', title: t('column.seq'), width: 80, grow: 0, align: 'right', render: (row) => row.seq, csv: (row) => row.seq },
    { id: 'at', title: t('column.at'), width: 160, grow: 0, render: (row) => <Time at={row.at} />, csv: (row) => row.at },
    { id: 'who', title: t('column.who'), width: 140, render: (row) => <HostText text={row.who} />, csv: (row) => row.who },
    { id: 'action', title: t('column.action'), width: 180, render: (row) => <code>{row.action}</code>, csv: (row) => row.action },
    { id: 'target', title: t('column.target'), width: 240, grow: 2, render: (row) => <HostText text={row.target} />, csv: (row) => row.target },
    { id: 'outcome', title: t('column.outcome'), width: 130, render: (row) => <HostText text={row.outcome} />, csv: (row) => row.outcome },
    { id: 'address', title: t('column.address'), width: 130, render: (row) => <HostText text={row.address} />, csv: (row) => row.address },
    { id: 'project', title: t('column.project'), width: 120, render: (row) => (row.project ? <ProjectName id={row.project} /> : <span className="none">-</span>), csv: (row) => row.project },
    { id: 'hash', title: t('column.hash'), width: 200, hidden: true, render: (row) => <Digest value={row.hash} />, csv: (row) => row.hash },
    { id: 'before', title: t('before'), width: 200, hidden: true, render: (row) => <HostText text={row.before ? JSON.stringify(row.before) : '-'} />, csv: (row) => (row.before ? JSON.stringify(row.before) : '') },
    { id: 'after', title: t('after'), width: 200, hidden: true, render: (row) => <HostText text={row.after ? JSON.stringify(row.after) : '-'} />, csv: (row) => (row.after ? JSON.stringify(row.after) : '') },
  ];
  return (
    <Page title={t('audit.title')} about={t('about')} actions={can('audit_all') && <Verify />}>
      <FilterBar id="audit" of={filters} />
      <DataTable id="audit" label={t('audit.title')} rows={rows} idOf={(row) => String(row.seq)} columns={columns} filtered={filters.active > 0} onClearFilters={filters.clear} onOpen={setShown} />
      <Drawer open={shown !== null} onClose={() => setShown(null)} size={640} title={shown ? `${shown.seq}: ${shown.action}` : ''}>
        {shown && <Entry of={shown} />}
      </Drawer>
    </Page>
  );
}

/** Reads the whole chain and says whether it is as it was written. */
function Verify() {
  const { t, i18n } = useTranslation('audit');
  const { failed } = useFeedback();
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Schema<'AuditVerification'> | null>(null);
  const verify = async () => {
    setBusy(true);
    setFound(null);
    try {
      setFound(await read('/api/v1/audit/verify'));
    } catch (e) {
      failed(e);
    } finally {
      setBusy(false);
    }
  };
  const number = found ? numberText(found.rows, i18n.language) : '';
  return (
    <>
      {found && (
        <Alert
          type={found.whole ? 'success' : 'error'}
          showIcon
          role={found.whole ? 'status' : 'alert'}
          className="verified"
          title={found.whole ? t('whole', { count: found.rows, number }) : t('broken', { row: found.broken_at, reason: found.reason })}
        />
      )}
      <Button loading={busy} onClick={() => void verify()}>{t('verify')}</Button>
    </>
  );
}

function Entry({ of }: { of: Row }) {
  const { t } = useTranslation('audit');
  const differs = differences(of.before, of.after);
  return (
    <>
      <Facts
        wide
        of={[
          [t('column.at'), <Time key="t" at={of.at} />],
          [t('column.who'), <HostText key="w" text={of.who} />],
          [t('column.address'), <HostText key="a" text={of.address} />],
          [t('column.target'), <HostText key="g" text={of.target} />],
          [t('column.project'), of.project ? <ProjectName key="p" id={of.project} /> : null],
          [t('column.outcome'), <HostText key="o" text={of.outcome} />],
          [t('column.hash'), <Digest key="h" value={of.hash} whole />],
        ]}
      />
      {of.before && of.after && (
        <>
          <h3>{t('changed')}</h3>
          {differs.length === 0 ? (
            <p className="quiet">{t('same')}</p>
          ) : (
            <table className="changes">
              <thead><tr><th scope="col">{t('what')}</th><th scope="col">{t('before')}</th><th scope="col">{t('after')}</th></tr></thead>
              <tbody>
                {differs.map((d) => (
                  <tr key={d.path}><th scope="row"><HostText text={d.path} code /></th><td><HostText text={d.before} code /></td><td><HostText text={d.after} code /></td></tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
      {of.before && <><h3>{t('before')}</h3><JsonView value={of.before} height={280} label={t('before')} /></>}
      {of.after && <><h3>{t('after')}</h3><JsonView value={of.after} height={280} label={t('after')} /></>}
      {!of.before && !of.after && <p className="quiet">{t('nothingKept')}</p>}
    </>
  );
}

export default function Audit() {
  return (
    <Allowed to="audit">
      <AuditList />
    </Allowed>
  );
}
