// SPDX-License-Identifier: Apache-2.0
/** What is set: switches through their dialog, policy groups, two persons, notifications, users, keys, the audit log. */
import { serious } from './axe';
import { expect, signIn, test } from './stage';

test.use({ stageOptions: ['--outbound'] });
test.describe.configure({ mode: 'serial' });

const SWITCH = 'Isolate and Kill Malicious Programs';

test('automatic isolation is switched on through its dialog, and back by undo', async ({ page, stage }) => {
  const [file] = await stage.drop({ what: 'high', path: 'before-the-switch' });
  await stage.alarm('before-the-switch');
  await signIn(page, stage);
  await page.goto('/ui/install/security');
  const row = page.getByRole('region', { name: SWITCH });
  await expect(row.getByText('alarms only', { exact: false })).toBeVisible();
  expect(await serious(page)).toEqual([]);
  await row.getByRole('switch', { name: SWITCH }).click();

  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('link', { name: '1 server' })).toBeVisible();
  // What it would have isolated stands there by name.
  await expect(dialog.getByText(file?.path ?? '', { exact: false })).toBeVisible();
  await dialog.getByRole('button', { name: 'Switch on' }).click();
  await expect(row.getByText('dealt with by itself', { exact: false })).toBeVisible();
  await expect(row.getByText('Switched by')).toBeVisible();
  const on = async () =>
    ((await stage.call('GET', '/switches?project=0')).items as { name: string; on: boolean }[]).find((s) => s.name === 'isolate_and_kill')?.on;
  expect(await on()).toBe(true);

  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(on).toBe(false);
});

test('a policy group is tried on the past before it is saved', async ({ page, stage }) => {
  await signIn(page, stage);
  await page.goto('/ui/policies');
  await page.getByRole('button', { name: 'New policy group' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Web servers');
  await page.getByRole('button', { name: 'Make it' }).click();
  await expect(page.getByRole('heading', { name: 'Web servers' })).toBeVisible();
  await page.getByLabel('Rating high from confidence').fill('120');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('(80 to 100)', { exact: true })).toBeVisible();
  await page.getByLabel('Rating high from confidence').fill('95');
  await page.getByLabel('Folders of web servers').fill('/srv/www');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText('Changes:', { exact: false })).toContainText('Rating high from confidence');
  await expect(dialog.getByText('alarms judged again')).toBeVisible();
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(dialog).toBeHidden();
  const groups = (await stage.call('GET', '/policy-groups')).items as { name: string; settings: unknown }[];
  expect(groups.find((g) => g.name === 'Web servers')?.settings).toMatchObject({ high_threshold: 95, web_roots: ['/srv/www'] });
  expect(await serious(page)).toEqual([]);
});

test('a web hook is made, tested, and signs what it sends', async ({ page, stage }) => {
  const hook = await stage.ask({ do: 'hook' });
  await signIn(page, stage);
  await page.goto('/ui/notifications');
  await page.getByRole('button', { name: 'New target' }).click();
  const form = page.getByRole('dialog');
  await form.getByText('Web hook', { exact: true }).click();
  await form.getByLabel('Name').fill('on call');
  await form.getByLabel('Address').fill(String(hook.url));
  await form.getByLabel('Authority of the server', { exact: false }).fill(String(hook.ca));
  await form.getByRole('button', { name: 'Make the target' }).click();
  const secret = page.getByRole('dialog', { name: 'Secret of the web hook' });
  await expect(secret.getByText(/^whsec_/)).toBeVisible();
  await secret.getByRole('button', { name: 'I have kept it' }).click();
  await expect(page.getByRole('heading', { name: 'on call' })).toBeVisible();
  await page.getByRole('button', { name: 'Send a test message' }).click();
  await expect(page.getByText('The target took the test message')).toBeVisible();
  const { requests } = await stage.ask({ do: 'hook-seen' });
  expect(JSON.stringify(requests)).toContain('lazaret.test');
  expect(await serious(page)).toEqual([]);
});

test('two persons: a switch waits, a second administrator approves it', async ({ page, stage, browser }) => {
  const second = await stage.user('administrator', { name: 'second' });
  await signIn(page, stage);
  await page.goto('/ui/projects/0');
  await page.getByLabel('Two persons').check();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();

  await page.goto('/ui/install/security');
  await page.getByRole('switch', { name: SWITCH }).click();
  await expect(page.getByRole('dialog').getByText('asks for two persons', { exact: false })).toBeVisible();
  await page.getByRole('dialog').getByRole('button', { name: 'Switch on' }).click();
  await page.getByRole('link', { name: 'To the approval' }).click();
  await expect(page.getByText('You asked for it', { exact: false })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Approve' })).toHaveCount(0);
  const address = page.url();

  const other = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-US', baseURL: stage.ready.url });
  const theirs = await other.newPage();
  await signIn(theirs, stage, second);
  await theirs.goto(address);
  await theirs.getByRole('button', { name: 'Approve' }).click();
  await theirs.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await expect(theirs.getByText('Approved', { exact: true })).toBeVisible();
  await other.close();
  const { items } = await stage.call('GET', '/switches?project=0');
  expect(items).toContainEqual(expect.objectContaining({ name: 'isolate_and_kill', on: true }));
});

test('a user is made with a one-time password; the audit log shows it and is whole', async ({ page, stage }) => {
  await signIn(page, stage);
  await page.goto('/ui/users');
  await page.getByRole('button', { name: 'New user' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('Ann');
  await page.getByRole('button', { name: 'Make the user' }).click();
  const once = page.getByRole('dialog', { name: 'One-time password of ann' });
  const password = await once.locator('code').innerText();
  await once.getByRole('button', { name: 'I have handed it over' }).click();
  const answer = await page.request.post('/api/v1/login', { data: { user: 'ann', password } });
  expect(answer.status()).toBe(200);

  await signIn(page, stage);
  await page.goto('/ui/audit?action=user.create');
  await page.getByRole('row').filter({ hasText: 'user.create' }).first().click();
  await expect(page.getByRole('dialog').getByRole('heading', { name: 'After' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Verify the chain' }).click();
  await expect(page.getByText('Whole:', { exact: false })).toBeVisible();
  expect(await serious(page)).toEqual([]);
});

test('an API key and an access key are made, let a program in, and are revoked', async ({ page, stage }) => {
  /** What the server says to who brings this. */
  const says = async (token: string) =>
    (await page.request.get('/api/v1/me', { headers: { Authorization: `Bearer ${token}` } })).status();
  await signIn(page, stage);
  await page.goto('/ui/keys');
  await page.getByRole('button', { name: 'New API key' }).click();
  const first = page.getByRole('dialog', { name: 'New API key' });
  await first.getByLabel('What it is for').fill('nightly report');
  await first.getByRole('button', { name: 'Make the key' }).click();
  const key = await first.locator('code').innerText();
  await first.getByRole('button', { name: 'I have kept it' }).click();
  expect(await says(key)).toBe(200);
  await page.getByRole('row', { name: /nightly report/ }).getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('row', { name: /nightly report/ })).toHaveCount(0);
  expect(await says(key)).toBe(401);

  await page.getByRole('link', { name: 'Access keys (AK/SK)' }).click();
  await page.getByRole('button', { name: 'New access key' }).click();
  const second = page.getByRole('dialog', { name: 'New access key' });
  await second.getByLabel('Roles').fill('Viewer · 0');
  await page.getByTitle('Viewer · 0', { exact: true }).click();
  await second.getByLabel('What it is for').fill('alarms to the desk');
  await second.getByLabel('What it is for').press('Enter');
  await expect(second.getByText(`with_endpoints(["${stage.ready.url}"])`, { exact: false })).toBeVisible();
  const [access = '', secret = ''] = await second.locator('code').allInnerTexts();
  expect(await serious(page)).toEqual([]);
  await second.getByRole('button', { name: 'I have kept it' }).click();
  await expect(page.getByText(secret)).toHaveCount(0);
  const row = page.getByRole('row', { name: new RegExp(access) });
  await expect(row).toContainText('Viewer · 0');

  // A token that is got with it lets in, the key itself does not; both end together.
  const identity = { methods: ['hw_ak_sk'], hw_ak_sk: { access: { key: access }, secret: { key: secret } } };
  const got = await page.request.post('/v3/auth/tokens', { data: { auth: { identity } } });
  expect(got.status(), await got.text()).toBe(201);
  const token = got.headers()['x-subject-token'] ?? '';
  expect([await says(token), await says(secret), await says(access)]).toEqual([200, 401, 401]);
  await row.getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('dialog')).toContainText('Tokens that were got with it end too.');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toHaveCount(0);
  expect(await says(token)).toBe(401);
  expect(await serious(page)).toEqual([]);
});

test('a viewer sees what is set and can set nothing', async ({ page, stage }) => {
  const viewer = await stage.user('viewer', { name: 'looker' });
  await signIn(page, stage, viewer);
  await page.goto('/ui/install/security');
  await expect(page.getByRole('switch', { name: SWITCH })).toBeDisabled();
  await expect(page.getByRole('button', { name: 'Change the consent' })).toHaveCount(0);
  await page.goto('/ui/notifications');
  await expect(page.getByRole('heading', { name: 'Alarm notifications' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'New target' })).toHaveCount(0);
  await page.goto('/ui/users');
  await expect(page.getByRole('alert')).toBeVisible();
});
