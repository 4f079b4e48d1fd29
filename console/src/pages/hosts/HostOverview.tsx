// SPDX-License-Identifier: Apache-2.0
/** What is known of a server: facts, sensors as configured beside those in force, edition, content, settings. */
import { useTranslation } from 'react-i18next';
import { FileName, HostText } from '@/parts/FileName';
import { ListLink, ThingLink } from '@/parts/links';
import { numberText, sizeText } from '@/parts/numbers';
import { Facts, Panel } from '@/parts/Page';
import { Status, Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import type { Full } from './Host';
import { Edition, HostState, Protection } from './hostColumns';
import { useGroups, usePolicyGroups, useProjectNames, useQuotas, useQuotaText } from './names';
import { SelfTestPanel } from './SelfTest';
import { sensorsOf } from './sensors';

export function HostOverview({ full }: { full: Full }) {
  return (
    <>
      <Numbers full={full} />
      <div className="panels">
        <Machine full={full} />
        <Standing full={full} />
      </div>
      <Sensors full={full} />
      <SelfTestPanel host={full.host} />
    </>
  );
}

function Numbers({ full }: { full: Full }) {
  const { t, i18n } = useTranslation('hosts');
  const { id } = full.host;
  const tile = (to: string, search: Record<string, string>, n: number | null | undefined, name: string, bad: boolean) => (
    <ListLink to={to} search={search} label={`${name}: ${numberText(n ?? 0, i18n.language)}`}>
      <span className={bad && n ? 'host-tile host-tile-bad' : 'host-tile'}>
        <b>{numberText(n ?? 0, i18n.language)}</b> {name}
      </span>
    </ListLink>
  );
  return (
    <section className="panel host-tiles" aria-label={t('host.numbers')}>
      {tile(`/hosts/${id}`, { tab: 'alarms', handle_status: 'unhandled' }, full.alarms_unhandled, t('host.unhandled'), true)}
      {tile(`/hosts/${id}`, { tab: 'isolated' }, full.isolated, t('host.isolated'), false)}
      <span className={full.degraded.length ? 'host-tile host-tile-bad' : 'host-tile'}>
        <b>{full.degraded.length}</b> {t('host.degradedCount')}
      </span>
      {full.open_breakers.length > 0 && (
        <span className="host-tile host-tile-bad">
          <b>{full.open_breakers.length}</b> {t('host.breakersCount')}
        </span>
      )}
    </section>
  );
}

function Machine({ full }: { full: Full }) {
  const { t, i18n } = useTranslation('hosts');
  const h = full.host;
  return (
    <Panel title={t('host.machine')}>
      <Facts
        wide
        of={[
          [t('column.status'), <><HostState host={h} /> <span className="quiet">{t('host.since')} <Time at={h.status_since} /></span></>],
          [t('column.addresses'), <span className="one-a-line">{h.addresses.map((a, i) => <HostText key={i} text={a} />)}</span>],
          [t('column.os'), <HostText key="os" text={h.os} />],
          [t('column.kernel'), <HostText key="k" text={`${h.kernel} ${h.arch}`.trim()} />],
          [t('host.size'), full.cpus > 0 ? t('host.cpus', { count: full.cpus, memory: sizeText(full.memory_bytes, i18n.language) }) : null],
          [t('host.booted'), <Time key="b" at={full.booted_at} />],
          [t('column.seen'), <Time key="s" at={h.seen_at} />],
          [t('column.enrolled'), <Time key="e" at={h.enrolled_at} />],
          [t('host.certificate'), <Time key="c" at={h.certificate_until} />],
          [t('column.id'), <code key="id">{h.id}</code>],
        ]}
      />
    </Panel>
  );
}

function Standing({ full }: { full: Full }) {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const groups = useGroups();
  const policies = usePolicyGroups();
  const projects = useProjectNames();
  const quotas = useQuotas();
  const quotaText = useQuotaText();
  const h = full.host;
  const group = groups.of(h.group);
  const policy = policies.of(group?.policy_group);
  const quota = quotas.of(h.edition?.quota);
  const flag = (value: boolean | null | undefined, alarming = false) =>
    typeof value === 'boolean' ? <Tag tone={value === alarming ? 'medium' : 'good'}>{t(value ? 'on' : 'off')}</Tag> : null;
  const texts = (of: readonly string[]) =>
    of.length ? (
      <ul className="why-list">
        {of.map((one, i) => (
          <li key={i}>
            <HostText text={one} />
          </li>
        ))}
      </ul>
    ) : null;
  const c = full.content;
  return (
    <Panel title={t('host.protection')}>
      <Facts
        wide
        of={[
          [t('column.project'), projects.name(h.project)],
          [t('column.group'), group ? <ListLink key="g" to="/hosts" search={{ group: group.id }}><HostText text={group.name} /></ListLink> : t('noGroup')],
          [t('column.policy'), policy ? <ThingLink key="p" to="/policies/$id" id={policy.id}><HostText text={policy.name} /></ThingLink> : t('switchesOnly')],
          [t('column.edition'), <><Edition host={h} /> <span className="quiet">{quota ? quotaText(quota) : h.edition?.reason ? <HostText text={h.edition.reason} /> : ''}</span></>],
          ...(h.edition?.not_included.length ? [[t('host.notIncluded'), texts(h.edition.not_included)] as [string, React.ReactNode]] : []),
          [word('switch', 'isolate_and_kill'), flag(full.isolate_and_kill)],
          [t('host.dryRun'), flag(full.dry_run, true)],
          [t('host.safeMode'), flag(full.safe_mode, true)],
          [t('column.agent'), <HostText key="a" text={h.agent_version} />],
          [t('column.content'), c ? <span key="c" className="cell-stack"><HostText text={c.version} /> <Status kind="contentState" value={c.state} /> {c.reason && <HostText text={c.reason} />}</span> : <HostText key="c" text={h.content_version} />],
          [t('column.applied'), h.generation_applied >= h.generation ? t('host.allApplied') : t('host.notApplied')],
          ...(h.refused.length ? [[t('host.refused'), texts(h.refused)] as [string, React.ReactNode]] : []),
          ...(full.pinned.length ? [[t('host.pinned'), <code key="pin">{full.pinned.join(', ')}</code>] as [string, React.ReactNode]] : []),
          ...(full.open_breakers.length ? [[t('host.breakers'), texts(full.open_breakers)] as [string, React.ReactNode]] : []),
        ]}
      />
    </Panel>
  );
}

/** Each mount: what is meant to be watched there, what is, and why not all. */
function Sensors({ full }: { full: Full }) {
  const { t } = useTranslation('hosts');
  const name = (sensor: string) => t(`sensor.${sensor}`, { defaultValue: sensor });
  return (
    <Panel title={t('host.sensors')} extra={<Protection host={full.host} />}>
      {full.host.protection.reason && <p className="quiet"><HostText text={full.host.protection.reason} /></p>}
      {full.degraded.length > 0 && (
        <>
          <p className="command-title">{t('host.degraded')}</p>
          <ul className="why-list">
            {full.degraded.map((d, i) => (
              <li key={i}>
                <HostText text={d} />
              </li>
            ))}
          </ul>
        </>
      )}
      {full.mounts.length === 0 ? (
        <p className="quiet">{t('host.noMounts')}</p>
      ) : (
        <div className="plain-box" tabIndex={0} role="region" aria-label={t('host.sensors')}>
          <table className="plain">
            <thead>
              <tr>
                <th scope="col">{t('host.mount')}</th>
                <th scope="col">{t('host.fsType')}</th>
                <th scope="col">{t('host.configured')}</th>
                <th scope="col">{t('host.effective')}</th>
                <th scope="col">{t('host.why')}</th>
              </tr>
            </thead>
            <tbody>
              {full.mounts.map((m, i) => {
                const sensors = sensorsOf(m.configured, m.effective);
                return (
                  <tr key={i}>
                    <td><FileName name={m.path} bytes={m.path_b64} /></td>
                    <td><HostText text={m.fs_type} /></td>
                    <td><span className="sensors">{sensors.filter((s) => s.configured).map((s) => <Tag key={s.name} tone="quiet">{name(s.name)}</Tag>)}</span></td>
                    <td>
                      <span className="sensors">
                        {sensors.map((s) => (
                          <Tag key={s.name} tone={s.effective ? 'good' : 'high'}>
                            {s.effective ? name(s.name) : t('host.missing', { name: name(s.name) })}
                          </Tag>
                        ))}
                      </span>
                    </td>
                    <td><HostText text={m.reason} /></td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
