// SPDX-License-Identifier: Apache-2.0
/** The side menu: groups that open and close, plain links, the current one marked. */
import { DownOutlined } from '@ant-design/icons';
import { Link, useRouterState } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isGroup, isIn, MENU, type Entry } from './menu';
import { useCan } from './permissions';

const CLOSED = 'lazaret.menu.closed';

function readClosed(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(CLOSED) ?? '[]');
    return Array.isArray(kept) ? kept.filter((k): k is string => typeof k === 'string') : [];
  } catch {
    return [];
  }
}

export function SideMenu({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation('shell');
  const can = useCan();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const [closed, setClosed] = useState(readClosed);

  const toggle = (name: string) => {
    const next = closed.includes(name) ? closed.filter((n) => n !== name) : [...closed, name];
    setClosed(next);
    try {
      localStorage.setItem(CLOSED, JSON.stringify(next));
    } catch {
      // Not kept: it is open again next time.
    }
  };

  const link = (entry: Entry) => {
    const here = isIn(entry, path);
    return (
      <li key={entry.name}>
        <Link
          to={entry.to}
          className={here ? 'menu-link menu-here' : 'menu-link'}
          aria-current={here ? 'page' : undefined}
          onClick={onGo}
        >
          {t(`menu.${entry.name}`)}
        </Link>
      </li>
    );
  };

  return (
    <nav className="menu" aria-label={t('menu.label')}>
      <ul>
        {MENU.map((of) => {
          if (!isGroup(of)) return link(of);
          const entries = of.entries.filter((e) => !e.needs || can(e.needs));
          if (entries.length === 0) return null;
          const open = !closed.includes(of.name);
          return (
            <li key={of.name}>
              <button
                type="button"
                className="menu-group"
                aria-expanded={open}
                aria-controls={`menu-${of.name}`}
                onClick={() => toggle(of.name)}
              >
                {t(`menu.${of.name}`)}
                <DownOutlined className={open ? 'menu-arrow' : 'menu-arrow menu-arrow-closed'} aria-hidden />
              </button>
              <ul id={`menu-${of.name}`} hidden={!open}>
                {entries.map(link)}
              </ul>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}
