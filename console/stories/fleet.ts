// SPDX-License-Identifier: Apache-2.0
/** A fleet in which every page has something to show, and the addresses of all pages: for pictures and for axe. */
import { expect, type Page } from '@playwright/test';
import { signIn, type Answer, type Stage } from './stage';

/** Options of a stage that {@link settle} can fill. */
export const FLEET = ['--hosts', '2', '--deep-scan', '--outbound'];

/** A page: how its picture is called, and where it is. */
export interface Place {
  name: string;
  path: string;
}

type Item = Record<string, unknown> & { id: string };

/** The first item of a list. */
async function first(stage: Stage, list: string): Promise<Item> {
  const { items } = (await stage.call('GET', list)) as { items: Item[] };
  if (!items[0]) throw new Error(`nothing is in ${list}`);
  return items[0];
}

/** What is the administrator's own. */
async function make(page: Page, stage: Stage, path: string, data: Answer): Promise<void> {
  const answer = await page.request.post(`${stage.ready.url}/api/v1${path}`, { headers: { 'X-Lazaret-CSRF': '1' }, data });
  expect(answer.status(), await answer.text()).toBeLessThan(300);
}

/** What is changed with `If-Match`, as the administrator. */
async function change(page: Page, stage: Stage, path: string, body: (before: Answer) => Answer): Promise<void> {
  const url = `${stage.ready.url}/api/v1${path}`;
  const before = await page.request.get(url);
  const answer = await page.request.put(url, {
    headers: { 'X-Lazaret-CSRF': '1', 'If-Match': before.headers().etag ?? '' },
    data: body((await before.json()) as Answer),
  });
  expect(answer.status(), await answer.text()).toBeLessThan(300);
}

/** Fills the fleet; all pages, with things that are there. */
export async function settle(page: Page, stage: Stage): Promise<Place[]> {
  await signIn(page, stage);
  const [web] = stage.ready.hosts;
  if (!web) throw new Error('there is no host');
  const policy = (await stage.call('POST', '/policy-groups', {
    project: '0',
    name: 'Web servers',
    description: 'What serves the shop',
    settings: { freeze_seconds: 3, high_threshold: 92, web_roots: ['/srv/www'] },
  })) as Item;
  const group = (await stage.call('POST', '/host-groups', { project: '0', name: 'Shop', policy_group: policy.id })) as Item;
  await stage.call('POST', '/hosts/assign', { hosts: [web.id], group: group.id, importance: 'important' });
  await stage.ask({ do: 'quota', edition: 'premium', total: 10, hosts: [0] });
  const { project } = await stage.ask({ do: 'project', name: 'Laboratory' });
  const user = await stage.user('operator', { name: 'ann', project: '0' });
  await stage.ask({ do: 'token', uses: 5 });
  for (const kind of ['api-keys', 'access-keys']) {
    await make(page, stage, `/me/${kind}`, { note: 'reports', grants: [{ project: '0', role: 'viewer' }] });
  }
  await stage.call('POST', '/targets', { name: 'On call', project: '0', settings: { webhook: { url: 'https://127.0.0.1:9/hook' } } });

  // Content that the deep scan condemns, isolated by itself on both hosts.
  await stage.ask({ do: 'consent', change: { hashes: true, samples: true, ring_seconds: 0 } });
  await stage.ask({ do: 'switch', switch: 'malware_cloud_scan', on: true });
  await stage.ask({ do: 'switch', switch: 'isolate_and_kill', on: true });
  const [cloudy] = await stage.drop({ what: 'cloud', path: 'opt/installer.sh' });
  await stage.ask({ do: 'run', path: 'opt/installer.sh' });
  await stage.drop({ what: 'high', path: 'usr/bin/kworkerd', class: 'miner' });
  await stage.drop({ what: 'high', path: 'usr/bin/kworkerd', class: 'miner', host: 1 });
  await stage.drop({ what: 'webshell', path: 'srv/www/upload.php' });
  await stage.drop({ what: 'hostile' });
  await stage.drop({ what: 'medium', path: 'tmp/agent.sh', class: 'backdoor' });
  await stage.drop({ what: 'program', path: 'tmp/worker', rating: 'medium', class: 'botnet', host: 1 });
  await stage.ask({ do: 'run', path: 'tmp/worker', args: ['600'], wait: false, host: 1 });
  await stage.drop({ what: 'low', path: 'home/build/pack.sh' });
  await stage.drop({ what: 'low', path: 'home/build/ours.sh' });
  const { found } = await stage.ask({ do: 'wait-for', list: '/isolated-files?limit=1000', where: { status: 'isolated' }, seconds: 60 });
  const isolated = found as Item;
  const alarm = (await stage.alarm('usr/bin/kworkerd')) as Item;
  const ours = (await stage.alarm('home/build/ours.sh')) as Item;
  const pack = (await stage.alarm('home/build/pack.sh')) as Item;
  await stage.alarm('tmp/agent.sh');
  await stage.alarm('tmp/worker', 1);
  await stage.ask({ do: 'seed', hosts: 6, alarms: 120 });

  await stage.call('POST', '/whitelist', {
    project: '0',
    scope: 'project',
    field: 'hash',
    judge: 'equal',
    value: ours.sha256,
    alarm: ours.id,
    description: 'Made by our own build',
  });
  await stage.call('POST', '/alarms/handle', { alarms: [pack.id], operate_type: 'ignore', remark: 'known' });
  const test = (await stage.call('POST', `/hosts/${web.id}/self-test`, undefined)) as { task: string };
  const scan = (await stage.call('POST', '/scan-tasks', {
    project: '0',
    name: 'Friday evening',
    settings: { kind: 'custom', include: [web.folder], hosts: [web.id], spread_minutes: 0 },
  })) as Item;
  await stage.call('POST', '/scan-policies', {
    project: '0',
    name: 'Nightly',
    settings: { kind: 'quick', all_hosts: true },
    start: { start_type: 'day', hour: 2, minute: 0, timezone_offset: 0 },
  });
  // A project where a switch waits for a second person.
  await change(page, stage, `/projects/${String(project)}/rules`, (before) => ({ ...(before.rules as Answer), two_person: true }));
  await stage.call('PUT', '/switches/isolate_and_kill', { project, on: true });
  if (cloudy) await stage.ask({ do: 'wait-for', list: `/files/${cloudy.sha256}`, where: { '/file/standing': 'bad' }, seconds: 90 }).catch(() => undefined);

  const entry = await first(stage, '/whitelist');
  const approval = await first(stage, '/approvals');
  const target = await first(stage, '/targets');
  return [
    { name: 'dashboard', path: '/' },
    { name: 'servers', path: '/hosts' },
    { name: 'server', path: `/hosts/${web.id}` },
    { name: 'server-alarms', path: `/hosts/${web.id}?tab=alarms` },
    { name: 'server-activity', path: `/hosts/${web.id}?tab=activity` },
    { name: 'host-groups', path: '/host-groups' },
    { name: 'quotas', path: '/quotas' },
    { name: 'alarms', path: '/alarms' },
    { name: 'alarm', path: `/alarms/${alarm.id}` },
    { name: 'events', path: '/events' },
    { name: 'isolated-files', path: '/isolated' },
    { name: 'isolated-file', path: `/isolated/${isolated.id}` },
    { name: 'whitelist', path: '/whitelist' },
    { name: 'whitelist-entry', path: `/whitelist/${entry.id}` },
    { name: 'handling-history', path: '/handlings' },
    { name: 'virus-scan', path: '/scans' },
    { name: 'scan', path: `/scans/${scan.id}` },
    { name: 'scan-policies', path: '/scans/plans' },
    { name: 'programs', path: '/programs' },
    { name: 'program', path: `/programs/${cloudy?.sha256 ?? ''}` },
    { name: 'samples', path: '/samples' },
    { name: 'deep-scans', path: '/deep-scans' },
    { name: 'policy-groups', path: '/policies' },
    { name: 'policy-group', path: `/policies/${policy.id}` },
    { name: 'content', path: '/content' },
    { name: 'agents', path: '/install/agents' },
    { name: 'security-configuration', path: '/install/security?project=0' },
    { name: 'web-shell-paths', path: '/install/web-shell-paths' },
    { name: 'common-settings', path: '/install/common' },
    { name: 'notifications', path: '/notifications' },
    { name: 'notification-target', path: `/notifications/${target.id}` },
    { name: 'dead-letters', path: '/notifications/dead-letters' },
    { name: 'approvals', path: '/approvals' },
    { name: 'approval', path: `/approvals/${approval.id}` },
    { name: 'orders', path: '/orders' },
    { name: 'order', path: `/orders/${test.task}` },
    { name: 'audit-log', path: '/audit' },
    { name: 'users', path: '/users' },
    { name: 'user', path: `/users/${user.user_id ?? ''}` },
    { name: 'api-keys', path: '/keys' },
    { name: 'access-keys', path: '/keys/access' },
    { name: 'projects', path: '/projects' },
    { name: 'project', path: '/projects/0' },
    { name: 'single-sign-on', path: '/sso' },
    { name: 'my-account', path: '/me' },
    { name: 'my-password', path: '/me?tab=password' },
    { name: 'my-second-factor', path: '/me?tab=factor' },
    { name: 'my-sign-ins', path: '/me?tab=sessions' },
  ];
}

/** Language and theme of a browser, as a person has chosen them before. */
export async function prefer(page: Page, language: 'en' | 'zh', theme: 'light' | 'dark'): Promise<void> {
  await page.addInitScript((kept) => localStorage.setItem('lazaret.preferences', kept), JSON.stringify({ language, theme }));
}

/** Goes to a page and waits until it shows what it has. */
export async function open(page: Page, place: Place): Promise<void> {
  await page.goto(`/ui${place.path}`);
  await expect(page.locator('main h1'), place.name).toBeVisible();
  await expect(page.locator('main .state .ant-spin, main .chart-wait, main [aria-busy="true"]'), place.name).toHaveCount(0);
}
