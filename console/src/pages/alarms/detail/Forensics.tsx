// SPDX-License-Identifier: Apache-2.0
/** File, user, network, container and ATT&CK: what was known when the alarm was raised. */
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Digest, FileName, HostText } from '@/parts/FileName';
import { HostLink, ListLink } from '@/parts/links';
import { numberText, sizeText } from '@/parts/numbers';
import { Facts, Panel } from '@/parts/Page';
import { Tag, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { usePreview } from '../handle/IsolatePreview';

type AlarmFull = Schema<'AlarmFull'>;

export function FileFacts({ full }: { full: AlarmFull }) {
  const { t, i18n } = useTranslation('alarms');
  const file = full.alarm?.file;
  const verdict = full.alarm?.verdict;
  if (!file) return null;
  return (
    <Panel title={t('file.title')}>
      <Facts
        of={[
          [t('file.path'), <FileName key="p" name={file.path} bytes={file.path_b64} copy />],
          ['SHA-256', <Digest key="d" value={file.sha256} whole />],
          [t('file.size'), typeof file.size === 'number' ? `${sizeText(file.size, i18n.language)} (${numberText(file.size, i18n.language)})` : null],
          [t('file.type'), verdict ? <HostText key="t" text={verdict.file_type} /> : null],
          [t('file.owner'), `uid ${file.uid}, gid ${file.gid}`],
          [t('file.mode'), <Mode key="m" mode={file.mode} />],
          [t('file.modified'), <Time key="mt" at={file.mtime} />],
          [t('file.changed'), <Time key="ct" at={file.ctime} />],
          [t('file.read'), <Time key="at" at={file.atime} />],
          [t('file.links'), numberText(file.nlink, i18n.language)],
          [t('file.inode'), typeof file.ino === 'number' ? `${file.dev ?? '-'}:${file.ino}` : null],
          [
            t('file.package'),
            file.package ? (
              <span key="k">
                <HostText text={file.package} />{' '}
                {typeof file.package_intact === 'boolean' && (
                  <Tag tone={file.package_intact ? 'good' : 'high'}>{file.package_intact ? t('file.intact') : t('file.broken')}</Tag>
                )}
              </span>
            ) : (
              t('file.noPackage')
            ),
          ],
        ]}
      />
    </Panel>
  );
}

/** What `chmod` takes, and what of it matters most. */
function Mode({ mode }: { mode: string }) {
  const { t } = useTranslation('alarms');
  const bits = Number.parseInt(mode, 8);
  return (
    <span className="tags">
      <code>{mode}</code>
      {(bits & 0o6000) !== 0 && <Tag tone="high">{t('file.suid')}</Tag>}
      {(bits & 0o111) !== 0 && <Tag tone="quiet">{t('file.executable')}</Tag>}
      {(bits & 0o002) !== 0 && <Tag tone="medium">{t('file.everybody')}</Tag>}
    </span>
  );
}

export function UserFacts({ full }: { full: AlarmFull }) {
  const { t } = useTranslation('alarms');
  const acted = full.alarm?.chain[0];
  return (
    <Panel title={t('user.title')}>
      <Facts
        wide
        of={[
          [t('user.acted'), acted ? `uid ${acted.uid}, euid ${acted.euid}, gid ${acted.gid}` : typeof full.summary.uid === 'number' ? `uid ${full.summary.uid}` : null],
          [t('user.owner'), full.alarm?.file ? `uid ${full.alarm.file.uid}, gid ${full.alarm.file.gid}` : null],
          [t('user.program'), acted ? <FileName key="e" name={acted.exe || acted.cmdline[0]} bytes={acted.exe_b64} /> : null],
          [t('user.unit'), acted?.unit ? <HostText key="u" text={acted.unit} /> : null],
        ]}
      />
    </Panel>
  );
}

export function ContainerFacts({ full }: { full: AlarmFull }) {
  const { t } = useTranslation('alarms');
  const ids = new Set((full.alarm?.chain ?? []).map((p) => p.container).filter((c): c is string => Boolean(c)));
  if (full.summary.container) ids.add(full.summary.container);
  return (
    <Panel title={t('container.title')}>
      {ids.size === 0 ? (
        <p className="quiet">{t('container.none')}</p>
      ) : (
        <ul className="plain-list">
          {[...ids].map((id) => (
            <li key={id}>
              <HostText code text={id} />{' '}
              <ListLink to="/alarms" search={{ container: id }}>
                {t('container.all')}
              </ListLink>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

export function AttackFacts({ full }: { full: AlarmFull }) {
  const { t } = useTranslation('alarms');
  const word = useWord();
  const { att_ck: tactic, technique, attack_phase: phase, attack_tag: tag } = full.summary;
  return (
    <Panel title={t('attack.title')}>
      <Facts
        wide
        of={[
          [t('attack.tactic'), tactic ? <HostText key="a" text={tactic} /> : null],
          [
            t('attack.technique'),
            technique ? (
              <ListLink key="t" to="/alarms" search={{ technique }}>
                {technique}
              </ListLink>
            ) : null,
          ],
          [
            t('attack.phase'),
            phase ? (
              <ListLink key="p" to="/alarms" search={{ attack_phase: phase }}>
                {word('attackPhase', phase)}
              </ListLink>
            ) : null,
          ],
          [
            t('attack.tag'),
            <ListLink key="g" to="/alarms" search={{ attack_tag: tag }}>
              {word('attackTag', tag)}
            </ListLink>,
          ],
        ]}
      />
    </Panel>
  );
}

/** Addresses, and what processes of the file listen on: the host says so when it is asked. */
export function NetworkFacts({ full }: { full: AlarmFull }) {
  const { t } = useTranslation('alarms');
  const can = useCan();
  const [asked, setAsked] = useState(false);
  const fresh = usePreview(full.summary.id, asked);
  const { host } = full.summary;
  const kept = full.commands.filter((c) => c.result?.preview).sort((a, b) => (a.finished_at ?? '').localeCompare(b.finished_at ?? '')).at(-1);
  const told = fresh.data?.state === 'told' ? fresh.data.preview : kept?.result?.preview;
  const open = (told?.processes ?? []).flatMap((p) => p.listening.map((l) => ({ ...l, pid: p.process?.pid })));
  return (
    <Panel
      title={t('network.title')}
      extra={
        can('operate', full.summary.project) &&
        full.alarm?.file && (
          <Button size="small" loading={fresh.isFetching} onClick={() => (asked ? void fresh.refetch() : setAsked(true))}>
            {t('network.ask')}
          </Button>
        )
      }
    >
      <Facts
        wide
        of={[
          [t('network.server'), <HostLink key="h" host={host} />],
          [
            t('network.address'),
            host.address ? (
              <ListLink key="a" to="/alarms" search={{ address: host.address }}>
                {host.address}
              </ListLink>
            ) : null,
          ],
          [
            t('network.listening'),
            !told ? (
              <span key="n" className="quiet">
                {t('network.unknown')}
              </span>
            ) : open.length === 0 ? (
              t('network.none')
            ) : (
              <ul key="l" className="plain-list">
                {open.map((l, i) => (
                  <li key={i}>
                    <HostText code text={`${l.protocol} ${l.address}:${l.port}`} /> <span className="quiet">pid {l.pid ?? '-'}</span>
                  </li>
                ))}
              </ul>
            ),
          ],
          ...(kept && fresh.data?.state !== 'told'
            ? [[t('network.at'), <Time key="t" at={kept.result?.at} />] as [string, React.ReactNode]]
            : []),
        ]}
      />
      {fresh.data && fresh.data.state !== 'told' && (
        <p className="quiet" role="status">
          {fresh.data.state === 'refused' ? <HostText text={fresh.data.reason} /> : t(`preview.${fresh.data.state}`)}
        </p>
      )}
    </Panel>
  );
}
