// SPDX-License-Identifier: Apache-2.0
/** Virus scan: begun by the form, watched to its end, its results handled like alarms; plans, and their undo. */
import { expect, patient, signIn, test } from './stage';

test.use({ stageOptions: ['--hosts', '2'] });
test.describe.configure({ mode: 'serial' });

test('a scan is begun, watched, and what it found is handled', async ({ page, stage }) => {
  test.setTimeout(patient(240_000));
  const host = stage.ready.hosts[0];
  if (!host) throw new Error('there is no host');
  await stage.drop({ what: 'low', path: 'srv/found.sh', mode: '0644' });
  await signIn(page, stage);
  await page.goto('/ui/scans');
  await page.getByRole('button', { name: 'New scan' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill('Friday <b>scan</b>');
  await form.getByText('Custom', { exact: true }).click();
  await form.getByLabel('Folders to scan').fill(`${host.folder}/srv`);
  await form.getByLabel('Folders to scan').press('Enter');
  await form.getByText('Some servers and groups').click();
  await form.getByLabel('Servers', { exact: true }).click();
  await page.getByTitle(host.name).click();
  await page.keyboard.press('Escape');
  await form.getByLabel('Spread the beginning over').fill('0');
  await form.getByRole('button', { name: 'Begin' }).click();

  await expect(page).toHaveURL(/\/ui\/scans\/[0-9a-f-]{36}/);
  await expect(page.getByRole('heading', { name: 'Friday <b>scan</b>' })).toBeVisible();
  const hosts = page.getByRole('grid', { name: 'Servers of the scan' });
  await expect(hosts.getByRole('row').filter({ hasText: host.name })).toContainText('Done', { timeout: patient(120_000) });
  const found = page.getByRole('grid', { name: 'What was found' });
  const row = found.getByRole('row').filter({ hasText: 'found.sh' });
  await expect(row).toBeVisible({ timeout: patient(30_000) });
  await row.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Mark as handled' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Mark as handled' }).click();
  await expect(row).toContainText('Handled');
});

test('a plan is made, changed, deleted, and brought back', async ({ page, stage }) => {
  await signIn(page, stage);
  await page.goto('/ui/scans/plans');
  await page.getByRole('button', { name: 'New policy' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill('Nightly');
  await form.getByText('Weekly', { exact: true }).click();
  await form.getByRole('button', { name: 'Make it' }).click();
  const row = page.getByRole('row').filter({ hasText: 'Nightly' });
  await expect(row).toContainText('Weekly Sunday 02:00');
  await row.getByRole('button', { name: 'Nightly' }).click();
  await form.getByText('Daily', { exact: true }).click();
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(row).toContainText('Daily 02:00');
  await row.getByRole('button', { name: 'Delete' }).click();
  await form.getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole('button', { name: 'Undo' }).last().click();
  await expect(row).toContainText('Daily 02:00');
});

test('a viewer starts nothing', async ({ page, stage }) => {
  await signIn(page, stage, await stage.user('viewer'));
  await page.goto('/ui/scans');
  await expect(page.getByRole('link', { name: 'Friday <b>scan</b>' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'New scan' })).toHaveCount(0);
});
