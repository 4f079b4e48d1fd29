// SPDX-License-Identifier: Apache-2.0
/** The first row: how the fleet is protected, what waits for a person, what was isolated. */
import { useTranslation } from 'react-i18next';
import type { ReactNode } from 'react';
import { useGet } from '@/api/hooks';
import { useProject } from '@/app/project';
import { Shown } from '@/app/states';
import { countsOf, useHostCounts } from '@/parts/hostCounts';
import { ListLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { Panel } from '@/parts/Page';
import { useWord } from '@/parts/tags';
import { SEVERITIES, useIsolatedCounts } from './figures';
import { Reminder } from './Reminder';
import { remindedOf, useReminders } from './reminders';
import { countSwitches, type SwitchesSeen, useSwitchesSeen } from './switches';

function Figure({ value, name, to, search, tone }: { value: number; name: string; to: string; search?: Record<string, string>; tone?: string }) {
  const { i18n } = useTranslation('dashboard');
  const number = numberText(value, i18n.language);
  return (
    <div className={tone && value > 0 ? `figure figure-${tone}` : 'figure'}>
      <ListLink to={to} search={search} label={`${name}: ${number}`}>
        {number}
      </ListLink>
      <span aria-hidden>{name}</span>
    </div>
  );
}

function Row({ children }: { children: ReactNode }) {
  return <div className="figures">{children}</div>;
}

export function Tiles() {
  const { t } = useTranslation('dashboard');
  const word = useWord();
  const { projectQuery } = useProject();
  const hosts = useHostCounts();
  const isolated = useIsolatedCounts();
  const alarms = useGet('/api/v1/alarms/statistics', { query: { ...projectQuery, handle_status: 'unhandled' } });
  const switches = useSwitchesSeen();
  const reminders = useReminders();
  // All at once: what comes later would move what is under it.
  const settled = !switches.pending && !reminders.pending;
  const protection = { data: settled ? hosts.data : undefined, isPending: hosts.isPending, error: hosts.error, refetch: hosts.refetch };
  const reminded = remindedOf(switches.data?.items ?? [], reminders.data ?? []);

  return (
    <>
      <div className="panels">
        <Panel title={t('unhandled')}>
          <Shown of={alarms}>
            {(s) => {
              const by = countsOf(s.by_severity);
              return (
                <Row>
                  <Figure value={s.unhandled} name={t('all')} to="/alarms" search={{ handle_status: 'unhandled' }} />
                  {SEVERITIES.map((one) => (
                    <Figure
                      key={one}
                      value={by[one] ?? 0}
                      name={word('severity', one)}
                      to="/alarms"
                      search={{ severity: one, handle_status: 'unhandled' }}
                      tone={one}
                    />
                  ))}
                </Row>
              );
            }}
          </Shown>
        </Panel>
        <Panel title={t('protection')}>
          <Shown of={protection}>
            {(s) => (
              <>
                <Row>
                  <Figure value={s.total} name={t('hosts')} to="/hosts" />
                  <Figure value={s.protection.full ?? 0} name={word('protection', 'full')} to="/hosts" search={{ protection: 'full' }} tone="good" />
                  <Figure value={s.protection.partial ?? 0} name={word('protection', 'partial')} to="/hosts" search={{ protection: 'partial' }} tone="medium" />
                  <Figure value={s.protection.none ?? 0} name={word('protection', 'none')} to="/hosts" search={{ protection: 'none' }} tone="high" />
                  <Figure value={s.status.offline ?? 0} name={word('hostStatus', 'offline')} to="/hosts" search={{ status: 'offline' }} tone="medium" />
                </Row>
                {switches.data && <Configured of={switches.data} />}
              </>
            )}
          </Shown>
        </Panel>
        <Panel title={t('isolated')}>
          <Shown of={isolated}>
            {(by) => (
              <Row>
                {['isolated', 'isolated_in_place', 'restored'].map((one) => (
                  <Figure key={one} value={by[one] ?? 0} name={word('isolatedStatus', one)} to="/isolated" search={{ status: one }} />
                ))}
                <Figure
                  value={(by.isolate_failed ?? 0) + (by.restore_failed ?? 0) + (by.delete_failed ?? 0)}
                  name={t('failures')}
                  to="/isolated"
                  search={{ status: 'isolate_failed,restore_failed,delete_failed' }}
                  tone="high"
                />
              </Row>
            )}
          </Shown>
        </Panel>
      </div>
      {settled && reminded.length > 0 && <Reminder projects={reminded} />}
    </>
  );
}

/** What is switched on, beside what hosts really have: the first row of the panel. */
function Configured({ of: { items, more } }: { of: SwitchesSeen }) {
  const { t } = useTranslation('dashboard');
  const word = useWord();
  return (
    <ul className="configured">
      {countSwitches(items).map(({ name, on, of }) => {
        const state = of === 1 ? t(on ? 'on' : 'off') : t(more ? 'onInFirst' : 'onIn', { on, count: of });
        return (
          <li key={name}>
            <ListLink to="/install/security">{word('switch', name)}</ListLink>
            <span className={on === of ? 'configured-on' : on > 0 ? 'configured-some' : 'configured-off'}>{state}</span>
          </li>
        );
      })}
    </ul>
  );
}
