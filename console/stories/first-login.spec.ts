// SPDX-License-Identifier: Apache-2.0
/** The first time: the one-time password, a password of one's own, and the fleet at one glance. */
import { expect, test } from './stage';

test.use({ stageOptions: ['--first-login'] });

const OWN = 'candle meadow harbour violin';

test('first login with the one-time password', async ({ page, stage, watched }) => {
  const { admin, hosts } = stage.ready;
  // A page deep inside: it is where the sign-in leads back to.
  await page.goto('/ui/hosts');
  await page.getByLabel('User name').fill(admin.user);
  await page.getByLabel('Password', { exact: true }).fill('not this one at all');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'wrong' })).toBeVisible();
  await page.getByLabel('Password', { exact: true }).fill(admin.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();

  // Nothing else is possible before.
  await expect(page.getByRole('heading', { name: 'Choose a password of your own' })).toBeVisible();
  expect((await page.request.get('/api/v1/hosts')).status()).toBe(403);
  await page.getByLabel('Current password').fill(admin.password);
  await page.getByLabel('New password', { exact: true }).fill(OWN);
  await page.getByLabel('New password again').fill(OWN);
  await page.getByRole('button', { name: 'Change password' }).click();

  // Where the link led, and nowhere else.
  await expect(page.getByRole('heading', { name: 'Servers & Quota', level: 1 })).toBeVisible();
  await expect(page).toHaveURL(/\/ui\/hosts$/);
  await page.goto('/ui/');
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeVisible();
  await expect(page.getByRole('link', { name: `Servers: ${hosts.length}` })).toBeVisible();

  // The one-time password is used up, the own one is not.
  const again = (password: string) =>
    page.request.post('/api/v1/login', { data: { user: admin.user, password } });
  expect((await again(admin.password)).status()).toBe(401);
  expect((await again(OWN)).status()).toBe(200);
  expect(watched.unexpected()).toEqual([]);
});

test('an alarm is counted without loading the page anew', async ({ page, stage }) => {
  await page.request.post('/api/v1/login', { data: { user: stage.ready.admin.user, password: OWN } });
  await page.goto('/ui/');
  await expect(page.getByRole('link', { name: 'All: 0' })).toBeVisible();
  const [file] = await stage.drop({ what: 'high', path: 'tool' });
  const alarm = await stage.alarm('tool');
  expect(alarm.path).toBe(file?.path);
  await expect(page.getByRole('link', { name: 'All: 1' })).toBeVisible();
});
