// SPDX-License-Identifier: Apache-2.0
/** What isolate-and-kill would touch, as the host itself answers now: nothing is changed by asking. */
import { useQuery } from '@tanstack/react-query';
import { Alert, Spin } from 'antd';
import { useTranslation } from 'react-i18next';
import { read, send } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { FileName, HostText, safeText } from '@/parts/FileName';
import { sizeText } from '@/parts/numbers';

type Preview = Schema<'Preview'>;

export type PreviewAnswer =
  | { state: 'told'; preview: Preview }
  /** Away, or it did not answer in time. */
  | { state: 'away' }
  | { state: 'late' }
  | { state: 'refused'; reason: string };

const LOOKS = 40;
const PAUSE_MS = 500;
const OPEN = ['pending', 'sent'];

async function ask(id: string, signal: AbortSignal): Promise<PreviewAnswer> {
  const order = await send('post', '/api/v1/alarms/{id}/preview', { path: { id } });
  const [command] = order.commands;
  if (!command) return { state: 'refused', reason: order.refused[0]?.reason ?? '' };
  if (command.later) return { state: 'away' };
  for (let i = 0; i < LOOKS && !signal.aborted; i += 1) {
    const now = await read('/api/v1/commands/{id}', { path: { id: command.id } }, signal);
    if (now.result?.preview) return { state: 'told', preview: now.result.preview };
    if (!OPEN.includes(now.state)) return { state: 'refused', reason: now.result?.reason || now.reason };
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  return { state: 'late' };
}

/** Asks once, while it is wanted; what was told a moment ago is shown again. */
export function usePreview(alarm: string, wanted: boolean) {
  return useQuery<PreviewAnswer, Error>({
    queryKey: ['isolation-preview', alarm],
    queryFn: ({ signal }) => ask(alarm, signal),
    enabled: wanted,
    retry: false,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });
}

export function IsolatePreview({ alarm }: { alarm: string }) {
  const { t } = useTranslation('alarms');
  const found = usePreview(alarm, true);
  return (
    <section className="preview" aria-label={t('preview.title')} aria-busy={found.isFetching}>
      <h3>{t('preview.title')}</h3>
      {found.isFetching && (
        <p role="status">
          <Spin size="small" /> {t('preview.asking')}
        </p>
      )}
      {!found.isFetching && found.error && <Alert type="warning" showIcon title={safeText(found.error.message)} />}
      {!found.isFetching && found.data && <Told answer={found.data} />}
    </section>
  );
}

function Told({ answer }: { answer: PreviewAnswer }) {
  const { t } = useTranslation('alarms');
  if (answer.state === 'away') return <Alert type="info" showIcon title={t('preview.away')} />;
  if (answer.state === 'late') return <Alert type="info" showIcon title={t('preview.late')} />;
  if (answer.state === 'refused') {
    return <Alert type="warning" showIcon title={t('preview.failed')} description={<HostText text={answer.reason} />} />;
  }
  return <PreviewBody of={answer.preview} />;
}

/** Also for previews that are kept with an alarm's orders. */
export function PreviewBody({ of }: { of: Preview }) {
  const { t, i18n } = useTranslation('alarms');
  const killed = of.processes.filter((p) => !p.kept_by);
  const kept = of.processes.filter((p) => p.kept_by);
  const line = (text: string, i: number) => (
    <li key={i}>
      <HostText text={text} />
    </li>
  );
  return (
    <>
      {of.refused_by.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t('preview.refused')}
          description={<ul className="plain-list">{of.refused_by.map(line)}</ul>}
        />
      )}
      {(of.critical || of.carrier) && (
        <Alert type="warning" showIcon title={<HostText text={[of.critical, of.carrier].filter(Boolean).join('; ')} />} />
      )}
      <dl className="preview-list">
        <dt>{t('preview.would')}</dt>
        <dd>{t(`preview.do.${of.would}`, { defaultValue: of.would })}</dd>
        <dt>{t('preview.names', { count: of.names.length })}</dt>
        <dd>
          <ul className="plain-list">
            {of.names.map((n, i) => (
              <li key={i}>
                <FileName name={n.path} bytes={n.path_b64} />
              </li>
            ))}
            {of.names_missing > 0 && <li className="quiet">{t('preview.missing', { count: of.names_missing })}</li>}
          </ul>
        </dd>
        <dt>{t('preview.killed', { count: killed.length })}</dt>
        <dd>{killed.length === 0 ? <span className="quiet">{t('preview.none')}</span> : <Processes of={killed} />}</dd>
        {kept.length > 0 && (
          <>
            <dt>{t('preview.kept', { count: kept.length })}</dt>
            <dd>
              <Processes of={kept} />
            </dd>
          </>
        )}
        {of.readers.length > 0 && (
          <>
            <dt>{t('preview.readers', { count: of.readers.length })}</dt>
            <dd>
              <ul className="plain-list">
                {of.readers.map((p, i) => (
                  <li key={i}>
                    <FileName name={p.exe} bytes={p.exe_b64} /> <span className="quiet">{p.pid}</span>
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
        {of.units.length > 0 && (
          <>
            <dt>{t('preview.units', { count: of.units.length })}</dt>
            <dd>
              <ul className="plain-list">{of.units.map(line)}</ul>
            </dd>
          </>
        )}
        {of.persistence.length > 0 && (
          <>
            <dt>{t('preview.persistence')}</dt>
            <dd>
              <ul className="plain-list">{of.persistence.map(line)}</ul>
            </dd>
          </>
        )}
        {of.package_standing && (
          <>
            <dt>{t('preview.package')}</dt>
            <dd>
              <HostText text={of.package_standing} />
            </dd>
          </>
        )}
        <dt>{t('preview.vault')}</dt>
        <dd>
          {of.vault.fits
            ? t('preview.fits', {
                used: sizeText(of.vault.used_bytes, i18n.language),
                all: sizeText(of.vault.total_bytes, i18n.language),
              })
            : t('preview.full')}{' '}
          {of.vault.reason && <HostText text={of.vault.reason} />}
        </dd>
      </dl>
    </>
  );
}

function Processes({ of }: { of: Preview['processes'] }) {
  return (
    <ul className="plain-list">
      {of.map((p, i) => (
        <li key={i}>
          <strong>{p.process?.pid ?? '-'}</strong>{' '}
          <HostText code text={p.process?.cmdline.join(' ') || p.process?.exe} />
          <div className="quiet">
            <HostText
              text={[
                p.user ?? '',
                p.why,
                p.kept_by ?? '',
                p.process?.unit ?? '',
                p.process?.container ?? '',
                ...p.listening.map((l) => `${l.protocol} ${l.address}:${l.port}`),
              ]
                .filter((x) => x !== '')
                .join(' · ')}
            />
          </div>
        </li>
      ))}
    </ul>
  );
}
