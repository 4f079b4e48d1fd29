// SPDX-License-Identifier: Apache-2.0
/** Sign-in at a real OpenID provider: groups are rights, and who is in none stays outside. */
import { expect, test } from './stage';

// The provider knows addresses of the loopback over HTTP only.
test.use({ stageOptions: ['--plain-http', '--oidc'] });

test('a person of the provider comes in with the rights of the group, where the link led', async ({ page, stage }) => {
  await page.request.get(String(stage.ready.oidc?.who.eve));
  await page.goto('/ui/alarms?severity=high');
  await page.getByRole('link', { name: 'Sign in with corp' }).click();
  await expect(page).toHaveURL(/\/ui\/alarms\?severity=high$/);
  await expect(page.getByRole('button', { name: 'Account: eve' })).toBeVisible();

  // Of the group soc: operates everything and administers nothing.
  await stage.drop({ what: 'high', path: 'tool' });
  const alarm = await stage.alarm('tool');
  await page.goto(`/ui/alarms/${String(alarm.id)}`);
  await expect(page.getByRole('button', { name: 'Handle', exact: true })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Users & Roles' })).toHaveCount(0);
  await page.goto('/ui/me?tab=sessions');
  await expect(page.getByText('corp', { exact: false }).first()).toBeVisible();

  await page.getByRole('button', { name: 'Account: eve' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForURL((url) => url.pathname !== '/ui/me');
  expect((await page.request.get('/api/v1/me')).status()).toBe(401);
});

test('a viewer by group sees and does nothing; who is in no group is told so', async ({ page, stage }) => {
  await page.request.get(String(stage.ready.oidc?.who.ann));
  await page.goto('/ui/hosts');
  await page.getByRole('link', { name: 'Sign in with corp' }).click();
  await expect(page.getByRole('button', { name: 'Account: ann' })).toBeVisible();
  await expect(page.getByRole('row', { name: /web-01/ })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Add servers' })).toHaveCount(0);
  await page.context().clearCookies();

  await page.request.get(String(stage.ready.oidc?.who.bob));
  await page.goto('/ui/hosts');
  await page.getByRole('link', { name: 'Sign in with corp' }).click();
  await expect(page.locator('body')).toContainText(/group/);
  expect((await page.request.get('/api/v1/me')).status()).toBe(401);
});
