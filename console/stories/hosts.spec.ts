// SPDX-License-Identifier: Apache-2.0
/** Servers & Quota and the installation pages, with real servers: list, groups, quotas, tokens, self-test, activity. */
import { expect, patient, signIn, test } from './stage';

test.use({ stageOptions: ['--hosts', '2'] });

test('a server is added with one line, copied with one key', async ({ page, stage, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await signIn(page, stage);
  await page.goto('/ui/hosts');
  await expect(page.getByRole('link', { name: /^Online: 2/ })).toBeVisible();
  await page.getByRole('button', { name: 'Add servers' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('What it is for').fill('web farm');
  await dialog.getByRole('button', { name: 'Make the line' }).click();
  const line = (await dialog.locator('[data-command="first"]').innerText()).trim();
  await page.keyboard.press('c');
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(line);
  await dialog.getByRole('button', { name: 'Done' }).click();

  // The token is in the list, and with it a machine becomes a server; the list says so by itself.
  await page.goto('/ui/install/agents');
  await expect(page.getByRole('row', { name: /web farm/ })).toBeVisible();
  await page.getByRole('row', { name: /web farm/ }).getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('row', { name: /web farm/ })).toHaveCount(0);

  await page.goto('/ui/hosts');
  await stage.ask({ do: 'host', name: 'new-01' });
  await expect(page.getByRole('row', { name: /new-01/ })).toBeVisible();
});

test('servers are put into a group at once, and back', async ({ page, stage }) => {
  await signIn(page, stage);
  await page.goto('/ui/host-groups');
  await page.getByRole('button', { name: 'New group' }).first().click();
  await page.getByRole('dialog').getByLabel('Group name').fill('shop');
  await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click();
  await expect(page.getByRole('link', { name: 'Servers of shop: 0' })).toBeVisible();

  await page.goto('/ui/hosts?text=web-01');
  const row = page.getByRole('row', { name: /web-01/ });
  await expect(page.getByRole('row', { name: /db-01/ })).toHaveCount(0);
  await row.getByRole('checkbox').check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Set group' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('web-01');
  await dialog.getByRole('combobox').click();
  await page.getByTitle('shop', { exact: true }).click();
  await dialog.getByRole('button', { name: 'Set group' }).click();
  await expect(row.getByRole('link', { name: 'shop' })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row.getByRole('link', { name: 'shop' })).toHaveCount(0);
});

test('a server tests itself, and its alarms become a tree of processes', async ({ page, stage }) => {
  const [host] = stage.ready.hosts;
  await stage.drop({ what: 'hostile' });
  await stage.drop({ what: 'high', path: 'tool' });
  await stage.alarm('tool');
  await signIn(page, stage);
  await page.goto(`/ui/hosts/${host?.id}`);
  await expect(page.getByRole('heading', { name: 'web-01' })).toBeVisible();
  await expect(page.getByRole('cell', { name: host?.folder ?? '' })).toBeVisible();
  await page.getByRole('button', { name: 'Run the self-test' }).click();
  await expect(page.locator('[data-part="self-test"]').getByText(/steps work/)).toBeVisible({ timeout: patient(60_000) });

  const tabs = page.getByRole('navigation', { name: 'web-01' });
  await tabs.getByRole('link', { name: /^Alarms/ }).click();
  await expect(page).toHaveURL(/tab=alarms/);
  await expect(page.getByRole('row').filter({ hasText: 'tool' })).toBeVisible();
  await tabs.getByRole('link', { name: 'Recent activity' }).click();
  await expect(page.getByRole('list', { name: 'Processes that alarms tell of' }).or(page.getByText('Alarms without processes')).first()).toBeVisible();
  await tabs.getByRole('link', { name: 'Orders' }).click();
  await expect(page.getByRole('row', { name: /Self-test/ })).toBeVisible();
});

test('folders of web sites are set in a policy group', async ({ page, stage }) => {
  await stage.call('POST', '/policy-groups', { project: '0', name: 'web', description: '', settings: { freeze_seconds: 3 } });
  await signIn(page, stage);
  await page.goto('/ui/install/web-shell-paths');
  await page.getByRole('row', { name: /^web/ }).getByRole('button', { name: 'Edit' }).click();
  const field = page.getByRole('dialog').getByLabel('Web-shell paths');
  await field.fill('srv/www');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Not an absolute path: srv/www')).toBeVisible();
  await field.fill('/srv/www\n/var/www');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('row', { name: /\/srv\/www, \/var\/www/ })).toBeVisible();
  // What this page does not show stays.
  const groups = (await stage.call('GET', '/policy-groups')).items as { name: string; settings: unknown }[];
  expect(groups.find((g) => g.name === 'web')?.settings).toMatchObject({ freeze_seconds: 3, web_roots: ['/srv/www', '/var/www'] });
});

test('a viewer sees servers and changes none', async ({ page, stage }) => {
  await signIn(page, stage, await stage.user('viewer'));
  await page.goto('/ui/hosts');
  await expect(page.getByRole('row', { name: /web-01/ })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Add servers' })).toHaveCount(0);
  await page.goto(`/ui/hosts/${stage.ready.hosts[0]?.id}`);
  await expect(page.getByRole('heading', { name: 'Self-test' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Run the self-test' })).toHaveCount(0);
  await page.goto('/ui/install/agents');
  await expect(page.getByText('Only administrators see the tokens.')).toBeVisible();
});
