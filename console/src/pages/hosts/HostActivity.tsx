// SPDX-License-Identifier: Apache-2.0
/** Recent activity of a server as a tree of processes, as far as its newest alarms carry it. */
import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { keyOf, read, useGet } from '@/api/hooks';
import { Empty, Failure, Loading, Shown } from '@/app/states';
import { CopyButton } from '@/parts/CopyButton';
import { FileName, HostText, safeText } from '@/parts/FileName';
import { ListLink, ThingLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { Severity } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { treeOf, type Node } from './processTree';

/** Each one's processes are asked for by itself. */
const MOST = 25;

export function HostActivity({ id }: { id: string }) {
  const { t } = useTranslation('hosts');
  const found = useGet('/api/v1/alarms', { query: { host: id, limit: MOST } });
  return (
    <Panel title={t('activity.title')} extra={<ListLink to={`/hosts/${id}`} search={{ tab: 'alarms' }}>{t('activity.all')}</ListLink>}>
      <p className="quiet">{t('activity.about', { count: MOST })}</p>
      <Shown of={found}>{(page) => <Activity ids={page.items.map((a) => a.id)} />}</Shown>
    </Panel>
  );
}

function Activity({ ids }: { ids: string[] }) {
  const { t } = useTranslation('hosts');
  const { alarms, pending, error } = useQueries({
    queries: ids.map((id) => ({
      queryKey: keyOf('/api/v1/alarms/{id}', { path: { id } }),
      queryFn: ({ signal }: { signal: AbortSignal }) => read('/api/v1/alarms/{id}', { path: { id } }, signal),
      staleTime: 10_000,
    })),
    combine: (all) => ({
      alarms: all.flatMap((q) => (q.data ? [q.data] : [])),
      pending: all.some((q) => q.isPending),
      error: all.find((q) => q.error)?.error ?? null,
    }),
  });
  if (pending) return <Loading />;
  if (error && alarms.length === 0) return <Failure error={error} />;
  const known = alarms.map(({ summary: s, alarm }) => ({ id: s.id, title: s.title, severity: s.severity, last: s.last, path: s.path, path_b64: s.path_b64, chain: alarm?.chain ?? [] }));
  const roots = treeOf(known);
  const without = known.filter((a) => a.chain.length === 0);
  if (known.length === 0) return <Empty>{t('activity.none')}</Empty>;
  return (
    <>
      {roots.length > 0 && (
        <ul className="tree" aria-label={t('activity.title')}>
          {roots.map((n) => (
            <Branch key={n.key} node={n} />
          ))}
        </ul>
      )}
      {without.length > 0 && (
        <>
          <p className="command-title">{t('activity.without')}</p>
          <ul className="tree-alarms">
            {without.map((a) => (
              <li key={a.id}>
                <Severity value={a.severity} /> <ThingLink to="/alarms/$id" id={a.id}><HostText text={a.title} /></ThingLink>
                <FileName name={a.path} bytes={a.path_b64} /> <Time at={a.last} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** Deeper than any system nests its processes; a host may say what it likes. */
const DEEPEST = 64;

function Branch({ node, depth = 0 }: { node: Node; depth?: number }) {
  const { t } = useTranslation('hosts');
  const p = node.facts;
  const line = p.cmdline.join(' ');
  return (
    <li>
      <div className="tree-row">
        <div className="tree-name">
          <strong><FileName name={p.exe || '?'} bytes={p.exe_b64} /></strong>
          {line && line !== p.exe && <HostText text={line.length > 300 ? `${line.slice(0, 300)}…` : line} code />}
          {line && <CopyButton text={safeText(line)} label={t('activity.copy')} />}
        </div>
        <div className="tree-more">
          {typeof p.pid === 'number' && <span>{t('activity.pid', { pid: p.pid })}</span>}
          <span>{t('activity.uid', { uid: p.uid })}{p.euid !== p.uid && ` → ${p.euid}`}</span>
          <span>{t('activity.started')} <Time at={p.started_at} /></span>
          {p.unit && <HostText text={p.unit} />}
          {p.container && <HostText text={p.container} />}
        </div>
        {node.alarms.length > 0 && (
          <ul className="tree-alarms">
            {node.alarms.map((a) => (
              <li key={a.id}>
                <Severity value={a.severity} /> <ThingLink to="/alarms/$id" id={a.id}><HostText text={a.title} /></ThingLink> <Time at={a.last} />
              </li>
            ))}
          </ul>
        )}
      </div>
      {node.children.length > 0 && depth < DEEPEST && (
        <ul className="tree">
          {node.children.map((n) => (
            <Branch key={n.key} node={n} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  );
}
