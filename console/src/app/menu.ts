// SPDX-License-Identifier: Apache-2.0
/** The menu: its order and its groups are those that users of host security services know. */
import type { Permission } from './permissions';

export interface Entry {
  /** Key below `shell:menu.` */
  name: string;
  to: string;
  /** Further beginnings of paths that belong to it. */
  also?: string[];
  /** Not shown without it. */
  needs?: Permission;
}

export interface Group {
  name: string;
  entries: Entry[];
}

export const MENU: readonly (Entry | Group)[] = [
  { name: 'dashboard', to: '/' },
  {
    name: 'assets',
    entries: [{ name: 'servers', to: '/hosts', also: ['/quotas', '/host-groups'] }],
  },
  {
    name: 'detection',
    entries: [
      { name: 'alarms', to: '/alarms' },
      { name: 'events', to: '/events' },
      { name: 'isolated', to: '/isolated' },
      { name: 'whitelist', to: '/whitelist' },
      { name: 'handlings', to: '/handlings' },
      { name: 'scans', to: '/scans' },
      { name: 'programs', to: '/programs', also: ['/samples', '/deep-scans'] },
    ],
  },
  { name: 'prevention', entries: [{ name: 'policies', to: '/policies' }, { name: 'content', to: '/content' }] },
  {
    name: 'configuration',
    entries: [
      { name: 'install', to: '/install', also: ['/install/'] },
      { name: 'notifications', to: '/notifications' },
    ],
  },
  {
    name: 'operations',
    entries: [
      { name: 'approvals', to: '/approvals' },
      { name: 'orders', to: '/orders' },
      { name: 'audit', to: '/audit', needs: 'audit' },
    ],
  },
  {
    name: 'account',
    entries: [
      { name: 'users', to: '/users', needs: 'administer_all' },
      { name: 'keys', to: '/keys' },
      { name: 'projects', to: '/projects' },
      { name: 'sso', to: '/sso', needs: 'administer_all' },
      { name: 'me', to: '/me' },
    ],
  },
];

export function isGroup(of: Entry | Group): of is Group {
  return 'entries' in of;
}

/** Whether a path lies in an entry. */
export function isIn(entry: Entry, path: string): boolean {
  if (entry.to === '/') return path === '/' || path === '';
  return [entry.to, ...(entry.also ?? [])].some((p) => path === p || path.startsWith(p.endsWith('/') ? p : `${p}/`));
}
