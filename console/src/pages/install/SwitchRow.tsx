// SPDX-License-Identifier: Apache-2.0
/** One switch: how it stands, what that means, who set it, and the dialog that turns it. */
import { useQuery } from '@tanstack/react-query';
import { Alert, Switch } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { send, useGet, useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Loading } from '@/app/states';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { ListLink, ThingLink } from '@/parts/links';
import { totalText } from '@/parts/numbers';
import { useProjects } from '@/parts/projects';
import { ReplayFiles, ReplayNumbers } from '@/parts/Replay';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import type { SwitchState } from './switches';

/** These can be tried on the past; what the cloud scan would have found nobody knows. */
const TRIED = ['isolate_and_kill', 'malware_sample_high_detect'];
const AREAS = ['/api/v1/switches', '/api/v1/hosts', '/api/v1/projects', '/api/v1/approvals', '/api/v1/scan-tasks'];

export function SwitchRow({ row }: { row: SwitchState }) {
  const { t } = useTranslation('security');
  const word = useWord();
  const can = useCan();
  const [asked, setAsked] = useState(false);
  const name = word('switch', row.name);
  return (
    <section className="switch-row" aria-label={name}>
      <div className="switch-head">
        <Switch checked={row.on} disabled={!can('administer', row.project)} onChange={() => setAsked(true)} aria-label={name} />
        <h3>{name}</h3>
        <Tag tone={row.on ? 'good' : 'quiet'}>{t(row.on ? 'on' : 'off')}</Tag>
        <span className="switch-who">
          {row.set_by ? (
            <>
              {t('setBy')} <HostText text={row.set_by} /> · <Time at={row.set_at} />
            </>
          ) : (
            t('neverSet')
          )}
          {can('audit', row.project) && (
            <>
              {' · '}
              <ListLink to="/audit" search={{ action: 'switch.set', target: `switch ${row.name}` }}>{t('history')}</ListLink>
            </>
          )}
        </span>
      </div>
      <p>{t(`what.${row.name}`)}</p>
      <p className="quiet">{t(row.on ? `isOn.${row.name}` : `isOff.${row.name}`)}</p>
      {asked && <TurnDialog row={row} onClose={() => setAsked(false)} />}
    </section>
  );
}

function TurnDialog({ row, onClose }: { row: SwitchState; onClose: () => void }) {
  const { t, i18n } = useTranslation('security');
  const word = useWord();
  const { done, waits, failed } = useFeedback();
  const { nameOf } = useProjects();
  const turn = useSend('put', '/api/v1/switches/{switch}', { changes: AREAS });
  const hosts = useGet('/api/v1/hosts', { query: { project: row.project, limit: 1 } });
  const rules = useGet('/api/v1/projects/{project}/rules', { path: { project: row.project } });
  const on = !row.on;
  const tried = TRIED.includes(row.name);
  const replay = useQuery({
    queryKey: ['replay of a switch', row.project, row.name, on],
    queryFn: () => send('post', '/api/v1/switches/replay', { body: { project: row.project, [row.name]: on } }),
    enabled: tried,
    retry: false,
    gcTime: 0,
  });
  const name = word('switch', row.name);
  const said = t(on ? 'turnedOn' : 'turnedOff', { name });

  const set = async (to: boolean) => {
    const answer = await turn.mutateAsync({ path: { switch: row.name }, body: { project: row.project, on: to } });
    return waits(answer, t(to ? 'turnOn' : 'turnOff', { name })) ? null : (answer as Schema<'Switch'>);
  };
  const undo = async () => {
    if (await set(row.on)) done(t(row.on ? 'turnedOn' : 'turnedOff', { name }));
  };
  const action = async () => {
    const after = await set(on);
    if (!after) return;
    const scan = after.scan;
    done(
      scan ? (
        <>
          {said} <ThingLink to="/scans/$id" id={scan.task}>{t(scan.begun ? 'scanBegun' : 'scanRuns')}</ThingLink>
        </>
      ) : (
        said
      ),
      { undo: () => undo().catch(failed) },
    );
  };

  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t(on ? 'turnOnTitle' : 'turnOffTitle', { name })}
      text={t(on ? `willOn.${row.name}` : `willOff.${row.name}`)}
      verb={t(on ? 'turnOnVerb' : 'turnOffVerb')}
      danger={row.name === 'isolate_and_kill' && !on}
      action={action}
    >
      <p>
        {t('concerns')}{' '}
        {hosts.data ? (
          <ListLink to="/hosts" search={{ project: row.project }}>
            {t('hosts', { count: hosts.data.total, number: totalText(hosts.data.total, hosts.data.total_is_capped, i18n.language) })}
          </ListLink>
        ) : (
          '…'
        )}{' '}
        <HostText text={`(${nameOf(row.project)})`} />
      </p>
      {rules.data?.rules.two_person && <Alert type="info" showIcon title={t('twoPerson')} className="door-error" />}
      {tried && (
        <>
          <p className="replay-caption">{t('tried')}</p>
          {replay.isPending && <Loading />}
          {replay.error && <Alert type="warning" showIcon title={t('notTried')} description={replay.error.message} />}
          {replay.data && (
            <>
              <ReplayNumbers of={replay.data} />
              <ReplayFiles of={replay.data} />
              <p className="quiet">{t('triedText')}</p>
            </>
          )}
        </>
      )}
    </ConfirmDialog>
  );
}
