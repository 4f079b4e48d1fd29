// SPDX-License-Identifier: Apache-2.0
/** One content: what it is known to be and why, where it is and since when, what happened, what can be done. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { isKind } from '@/api/errors';
import { useCan } from '@/app/permissions';
import { Shown, State } from '@/app/states';
import { Digest, HostText } from '@/parts/FileName';
import { JsonView } from '@/parts/JsonView';
import { HostLink, ListLink } from '@/parts/links';
import { numberText, sizeText } from '@/parts/numbers';
import { Facts, Page, Panel } from '@/parts/Page';
import { Status, Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { Evidence } from './Evidence';
import { Happened } from './Happened';
import { NewVerdict } from './NewVerdict';
import { Places } from './Places';
import { ProgramActions } from './ProgramActions';
import { SamplePanel } from './SamplePanel';
import { useOwnProject } from './tabs';
import { VerdictPanel } from './VerdictPanel';
import './programs.css';

type Full = Schema<'FilePage'>;

export default function Program() {
  const { t } = useTranslation('programs');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const project = useOwnProject();
  const can = useCan();
  const found = useGet('/api/v1/files/{sha256}', { path: { sha256: id }, query: { project } }, { retry: false });
  if (found.data === undefined && isKind(found.error, 'not-found')) {
    return (
      <Page title={id} crumbs={[{ to: '/programs', name: t('programs.heading') }]}>
        <State title={t('program.unknown')} actions={can('administer', project) && <NewVerdict project={project} />}>
          {t('program.unknownText')} <HostText text={project} />
        </State>
      </Page>
    );
  }
  return <Shown of={found}>{(thing) => <Detail of={thing} />}</Shown>;
}

function Detail({ of }: { of: Full }) {
  const { t, i18n } = useTranslation('programs');
  const word = useWord();
  const { file: f } = of;
  const n = (value: number) => numberText(value, i18n.language);
  // The host that had it first is known by its id; where it still is, a place tells its name.
  const first = useGet('/api/v1/hosts/{id}', { path: { id: f.first_host ?? '' } }, { enabled: Boolean(f.first_host), retry: false });
  return (
    <Page
      title={`${f.sha256.slice(0, 12)}…`}
      beside={
        <span className="tags">
          <Status kind="standing" value={f.standing} />
          {f.settled && <Tag tone="low">{t('byPerson')}</Tag>}
        </span>
      }
      about={<Digest value={f.sha256} whole />}
      crumbs={[{ to: '/programs', name: t('programs.heading') }]}
      actions={<ProgramActions of={of} />}
    >
      <Panel title={t('program.facts')}>
        <Facts
          of={[
            [t('column.since'), <Time key="s" at={f.standing_since} />],
            [t('column.kind'), word('fileKind', f.kind)],
            [t('column.size'), sizeText(f.size, i18n.language)],
            [t('column.hosts'), n(f.hosts)],
            [t('column.packaged'), t('program.packaged', { number: n(f.packaged_hosts), total: n(f.hosts) })],
            [t('column.first'), <Time key="f" at={f.first_seen_at} />],
            [t('program.firstHost'), f.first_host ? <HostLink key="h" host={first.data?.host ?? { id: f.first_host, name: f.first_host.slice(0, 8) }} /> : null],
            [t('column.last'), <Time key="l" at={f.last_seen_at} />],
            [t('column.project'), <HostText key="p" text={f.project} />],
            [
              t('program.alarms'),
              <ListLink key="a" to="/alarms" search={{ sha256: f.sha256 }}>
                {n(of.alarms_total)}
              </ListLink>,
            ],
            [
              t('program.isolated'),
              <ListLink key="i" to="/isolated" search={{ sha256: f.sha256 }}>
                {n(of.isolated_total)}
              </ListLink>,
            ],
          ]}
        />
        {f.tlsh && <Facts wide of={[['TLSH', <code key="t">{f.tlsh}</code>]]} />}
      </Panel>
      <VerdictPanel of={of} />
      <Evidence of={of} />
      <Places sha256={f.sha256} project={f.project} />
      <SamplePanel of={of} />
      <Happened of={of} />
      <Panel title={t('program.raw')}>
        <JsonView value={of} label={t('program.raw')} height={320} />
      </Panel>
    </Page>
  );
}
