// SPDX-License-Identifier: Apache-2.0
/** Every address of the console. Each page is a chunk of its own, fetched when somebody goes there. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { NotHere } from './NotHere';
import { Root, Shell } from './Shell';
import { PageBroken } from './PageBroken';
import { parseSearch, stringifySearch, type Search } from './search';
import { Loading } from './states';

const root = createRootRoute({
  component: Root,
  notFoundComponent: NotHere,
  validateSearch: (search: Record<string, unknown>): Search => search as Search,
  // The project chosen in the header stays chosen from page to page.
  search: { middlewares: [retainSearchParams(['project'])] },
});

/** Pages export their component by default. */
type PageModule = Promise<{ default: ComponentType }>;
const lazy = (load: () => PageModule) => lazyRouteComponent(load);

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/signin',
  component: lazy(() => import('@/pages/signin/SignIn')),
});

/** Everything that wants somebody signed in. */
const shell = createRoute({ getParentRoute: () => root, id: 'shell', component: Shell });

const at = <P extends string>(path: P, load: () => PageModule) =>
  createRoute({ getParentRoute: () => shell, path, component: lazy(load) });

const pages = [
  at('/', () => import('@/pages/dashboard/Dashboard')),

  at('/hosts', () => import('@/pages/hosts/Hosts')),
  at('/hosts/$id', () => import('@/pages/hosts/Host')),
  at('/host-groups', () => import('@/pages/hosts/HostGroups')),
  at('/quotas', () => import('@/pages/hosts/Quotas')),

  at('/alarms', () => import('@/pages/alarms/Alarms')),
  at('/alarms/$id', () => import('@/pages/alarms/Alarm')),
  at('/events', () => import('@/pages/events/Events')),
  at('/isolated', () => import('@/pages/isolated/IsolatedFiles')),
  at('/isolated/$id', () => import('@/pages/isolated/IsolatedFile')),
  at('/whitelist', () => import('@/pages/whitelist/Whitelist')),
  at('/whitelist/$id', () => import('@/pages/whitelist/WhitelistEntry')),
  at('/handlings', () => import('@/pages/handlings/Handlings')),

  at('/scans', () => import('@/pages/scans/Scans')),
  at('/scans/plans', () => import('@/pages/scans/ScanPlans')),
  at('/scans/$id', () => import('@/pages/scans/Scan')),

  at('/programs', () => import('@/pages/programs/Programs')),
  at('/programs/$id', () => import('@/pages/programs/Program')),
  at('/samples', () => import('@/pages/programs/Samples')),
  at('/deep-scans', () => import('@/pages/programs/DeepScans')),

  at('/policies', () => import('@/pages/policies/PolicyGroups')),
  at('/policies/$id', () => import('@/pages/policies/PolicyGroup')),
  at('/content', () => import('@/pages/content/Content')),

  at('/install/agents', () => import('@/pages/install/Agents')),
  at('/install/security', () => import('@/pages/install/Security')),
  at('/install/web-shell-paths', () => import('@/pages/install/WebShellPaths')),
  at('/install/common', () => import('@/pages/install/CommonSettings')),
  at('/notifications', () => import('@/pages/notifications/Notifications')),
  at('/notifications/dead-letters', () => import('@/pages/notifications/DeadLetters')),
  at('/notifications/$id', () => import('@/pages/notifications/Target')),

  at('/approvals', () => import('@/pages/approvals/Approvals')),
  at('/approvals/$id', () => import('@/pages/approvals/Approval')),
  at('/orders', () => import('@/pages/orders/Orders')),
  at('/orders/$id', () => import('@/pages/orders/Task')),
  at('/audit', () => import('@/pages/audit/Audit')),

  at('/users', () => import('@/pages/users/Users')),
  at('/users/$id', () => import('@/pages/users/User')),
  at('/keys', () => import('@/pages/keys/ApiKeys')),
  at('/keys/access', () => import('@/pages/keys/AccessKeys')),
  at('/projects', () => import('@/pages/projects/Projects')),
  at('/projects/$id', () => import('@/pages/projects/Project')),
  at('/sso', () => import('@/pages/sso/SignOn')),
  at('/me', () => import('@/pages/me/Me')),
];

const install = createRoute({
  getParentRoute: () => shell,
  path: '/install',
  beforeLoad: () => {
    throw redirect({ to: '/install/agents', replace: true });
  },
});

const routeTree = root.addChildren([signIn, shell.addChildren([...pages, install])]);

export const router = createRouter({
  routeTree,
  basepath: '/ui',
  parseSearch: (text) => parseSearch(text),
  stringifySearch,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading tall />,
  defaultErrorComponent: PageBroken,
  defaultPendingMs: 150,
  scrollRestoration: true,
});

/**
 * Addresses are texts here, as pages build them from what the API says; only hooks of the router are typed.
 * `router.test.ts` walks through the menu and looks whether each leads somewhere.
 */
export type AppRouter = typeof router;
