// SPDX-License-Identifier: Apache-2.0
/** A page's head: where one is, its name, its buttons; and tabs that are addresses. */
import { Link, useRouterState } from '@tanstack/react-router';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { safeText } from './FileName';

interface Crumb {
  name: string;
  to: string;
}

interface Props {
  title: string;
  /** Beside the title: a state, a tag. */
  beside?: ReactNode;
  /** One line below it. */
  about?: ReactNode;
  crumbs?: Crumb[];
  actions?: ReactNode;
  tabs?: ReactNode;
  children: ReactNode;
}

export function Page({ title, beside, about, crumbs, actions, tabs, children }: Props) {
  const { t } = useTranslation('parts');
  const name = safeText(title);
  useEffect(() => {
    document.title = `${name} - Lazaret`;
  }, [name]);
  return (
    <>
      {crumbs && (
        <nav className="crumbs" aria-label={t('crumbs')}>
          {crumbs.map((c) => (
            <Link key={c.to} to={c.to}>
              {c.name}
            </Link>
          ))}
        </nav>
      )}
      <div className="page-head">
        <div className="page-name">
          <h1>{name}</h1>
          {beside}
        </div>
        {actions && <div className="page-actions">{actions}</div>}
      </div>
      {about && <div className="page-about">{about}</div>}
      {tabs}
      {children}
    </>
  );
}

/** Tabs of neighbouring pages, each with its own address. */
export function PageTabs({ label, tabs }: { label: string; tabs: { to: string; name: string }[] }) {
  const path = useRouterState({ select: (s) => s.location.pathname });
  return (
    <nav className="page-tabs" aria-label={label}>
      {tabs.map((tab) => (
        <Link
          key={tab.to}
          to={tab.to}
          className={path === tab.to ? 'page-tab page-tab-here' : 'page-tab'}
          aria-current={path === tab.to ? 'page' : undefined}
        >
          {tab.name}
        </Link>
      ))}
    </nav>
  );
}

/** A box with a heading. */
export function Panel({ title, extra, children, flush }: { title?: ReactNode; extra?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={flush ? 'panel panel-flush' : 'panel'}>
      {(title || extra) && (
        <div className="panel-head">
          {title && <h2>{title}</h2>}
          {extra && <div className="panel-extra">{extra}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** Names and values of a thing, in columns. `null` values are shown as a dash. */
export function Facts({ of, wide }: { of: [string, ReactNode][]; wide?: boolean }) {
  return (
    <dl className={wide ? 'facts facts-wide' : 'facts'}>
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? <span className="none">-</span>}</dd>
        </div>
      ))}
    </dl>
  );
}
