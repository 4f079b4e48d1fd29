// SPDX-License-Identifier: Apache-2.0
/** One isolated file: where it was, what happened to it, what was ended with it, and what can be done. */
import { Link, useParams } from '@tanstack/react-router';
import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { Shown } from '@/app/states';
import { Digest, FileName, HostText, safeText } from '@/parts/FileName';
import { JsonView } from '@/parts/JsonView';
import { HostLink } from '@/parts/links';
import { sizeText } from '@/parts/numbers';
import { Facts, Page, Panel } from '@/parts/Page';
import { Status, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { Actions } from './Actions';
import { Orders } from './Orders';
import './isolated.css';

type Full = Schema<'IsolatedFile'>;

export default function IsolatedFile() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/isolated-files/{id}', { path: { id } });
  return <Shown of={found}>{(thing) => <Detail of={thing} />}</Shown>;
}

function Detail({ of }: { of: Full }) {
  const { t, i18n } = useTranslation('isolated');
  const word = useWord();
  const { summary: s, isolated: i } = of;
  const name = s.path.split('/').at(-1) || s.path;
  return (
    <Page
      title={name}
      beside={<Status kind="isolatedStatus" value={s.status} />}
      about={<FileName name={s.path} bytes={s.path_b64} copy />}
      crumbs={[{ to: '/isolated', name: t('title') }]}
      actions={<Actions of={s} />}
    >
      <StatusNote status={s.status} reason={s.reason} host={s.host} />
      <Panel title={t('file.summary')}>
        <Facts
          of={[
            [t('column.host'), <HostLink key="h" host={s.host} />],
            [t('column.isolatedAt'), <Time key="t" at={s.isolated_at} />],
            [t('column.updated'), <Time key="u" at={s.updated_at} />],
            [
              t('column.alarm'),
              s.alarm ? (
                <Link key="a" to="/alarms/$id" params={{ id: s.alarm }}>
                  <HostText text={s.alarm_title || s.alarm} />
                </Link>
              ) : null,
            ],
            [t('column.class'), word('class', s.class)],
            [t('column.family'), s.family ? <HostText key="f" text={s.family} /> : null],
            [t('column.confidence'), s.confidence],
            [t('column.source'), word('isolatedSource', s.source)],
            [t('column.size'), sizeText(s.size, i18n.language)],
            [t('file.stored'), i ? sizeText(i.stored, i18n.language) : null],
            [t('column.project'), <HostText key="p" text={s.project} />],
            [
              t('file.content'),
              s.sha256 ? (
                <Link key="c" to="/programs/$id" params={{ id: s.sha256 }} search={(before: Record<string, unknown>) => ({ ...before, project: s.project })}>
                  {t('file.toContent')}
                </Link>
              ) : null,
            ],
          ]}
        />
        <Facts wide of={[[t('column.sha256'), s.sha256 ? <Digest key="d" value={s.sha256} whole /> : null]]} />
      </Panel>
      {i?.file && <WhatItWas of={i} />}
      {i && (i.killed.length > 0 || (i.left_alone?.length ?? 0) > 0) && (
        <Panel title={t('killed.title')}>
          <Processes of={i.killed} label={t('killed.title')} />
          {(i.left_alone?.length ?? 0) > 0 && (
            <>
              <h3>{t('killed.leftAlone')}</h3>
              <Processes of={i.left_alone ?? []} label={t('killed.leftAlone')} />
            </>
          )}
        </Panel>
      )}
      <Orders about={s.id} project={s.project} />
      <Panel title={t('file.raw')}>
        <JsonView value={of} label={t('file.raw')} height={320} />
      </Panel>
    </Page>
  );
}

const BAD = ['isolate_failed', 'restore_failed', 'delete_failed'];
const WORKING = ['isolating', 'restoring', 'deleting'];

/** What the state means, and why. */
function StatusNote({ status, reason, host }: { status: string; reason: string; host: Schema<'HostBrief'> }) {
  const { t } = useTranslation('isolated');
  const away = WORKING.includes(status) && host.status !== 'online';
  const bad = BAD.includes(status);
  if (!reason && !bad && !away && status !== 'isolated_in_place') return null;
  return (
    <Alert
      className="why"
      type={bad ? 'error' : 'info'}
      showIcon
      title={t(`status.${status}`)}
      description={
        reason || away ? (
          <>
            {reason && <HostText text={reason} />} {away && t('hostAway')}
          </>
        ) : undefined
      }
    />
  );
}

/** The file as it was when it was taken: what a restore brings back. */
function WhatItWas({ of }: { of: Schema<'IsolatedFull'> }) {
  const { t } = useTranslation('isolated');
  const f = of.file;
  if (!f) return null;
  const pack = f.package ? t(f.package_intact === false ? 'file.packageChanged' : 'file.packageIntact', { name: safeText(f.package) }) : null;
  return (
    <Panel title={t('file.was')}>
      <Facts
        of={[
          [t('attribute.mode'), <code key="m">{f.mode}</code>],
          [t('file.owner'), `${f.uid}:${f.gid}`],
          [t('attribute.mtime'), <Time key="t" at={f.mtime} />],
          [t('attribute.atime'), <Time key="a" at={f.atime} />],
          [t('file.names'), f.nlink],
          [t('file.package'), pack],
        ]}
      />
      {of.links.length > 0 && (
        <Facts
          wide
          of={[
            [
              t('file.links'),
              <ul key="l" className="orders">
                {of.links.map((l, n) => (
                  <li key={n}>
                    <FileName name={l} />
                  </li>
                ))}
              </ul>,
            ],
          ]}
        />
      )}
    </Panel>
  );
}

function Processes({ of, label }: { of: readonly Schema<'Killed'>[]; label: string }) {
  const { t } = useTranslation('isolated');
  const word = useWord();
  if (of.length === 0) return <p className="quiet">{t('killed.none')}</p>;
  return (
    <div className="scrolled">
      <table className="plain-table" aria-label={label}>
        <thead>
          <tr>
            {['pid', 'command', 'unit', 'container', 'outcome'].map((c) => (
              <th key={c} scope="col">
                {t(`killed.${c}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {of.map((k, n) => (
            <tr key={n}>
              <td>{k.pid}</td>
              <td>
                <HostText text={k.cmdline.join(' ') || k.exe} code />
              </td>
              <td>
                <HostText text={k.unit} />
              </td>
              <td>
                <HostText text={k.container} />
              </td>
              <td>
                {word('outcome', k.outcome)} {k.reason && <HostText text={k.reason} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
