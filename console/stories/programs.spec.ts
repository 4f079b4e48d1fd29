// SPDX-License-Identifier: Apache-2.0
/** Files by content: condemned by the deep scan and taken back with all that was isolated; a person's word; samples. */
import { readFile } from 'node:fs/promises';
import { expect, patient, signIn, test } from './stage';

test.use({ stageOptions: ['--hosts', '2', '--deep-scan'] });
test.describe.configure({ mode: 'serial' });

let cloudy = '';

test('what the deep scan condemned is seen with its evidence, and withdrawn everywhere', async ({ page, stage }) => {
  test.setTimeout(patient(180_000));
  // Without a ring everybody acts at once.
  await stage.ask({ do: 'consent', change: { hashes: true, samples: true, ring_seconds: 0 } });
  await stage.ask({ do: 'switch', switch: 'malware_cloud_scan', on: true });
  await stage.ask({ do: 'switch', switch: 'isolate_and_kill', on: true });
  const [file] = await stage.drop({ what: 'cloud', path: 'opt/cloudy.sh' });
  await stage.drop({ what: 'cloud', path: 'opt/cloudy.sh', host: 1 });
  if (!file) throw new Error('nothing was dropped');
  cloudy = file.sha256;
  for (const host of [0, 1]) await stage.ask({ do: 'run', path: 'opt/cloudy.sh', host });
  await signIn(page, stage);
  await expect
    .poll(async () => (await stage.ask({ do: 'call', method: 'GET', path: `/files/${cloudy}`, body: null })).status, { timeout: patient(60_000) })
    .toBe(200);

  await page.goto(`/ui/programs/${cloudy}`);
  // It turns bad without the page being loaded anew.
  await expect(page.getByText('Bad', { exact: true }).first()).toBeVisible({ timeout: patient(60_000) });
  await expect(page.getByRole('table', { name: 'Evidence' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'What happened' })).toBeVisible();
  for (const host of [0, 1]) {
    await expect.poll(async () => (await stage.ask({ do: 'file', path: 'opt/cloudy.sh', host })).exists, { timeout: patient(60_000) }).toBe(false);
  }
  await expect(page.getByRole('table', { name: 'Isolated files' }).getByRole('row')).toHaveCount(3, { timeout: patient(30_000) });

  await page.getByRole('button', { name: 'Withdraw…' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Bring back all 2 isolated files with this content')).toBeChecked();
  await dialog.getByLabel('Reason').fill('our own installer');
  await dialog.getByRole('button', { name: 'Withdraw and restore' }).click();
  for (const host of [0, 1]) {
    await expect.poll(async () => (await stage.ask({ do: 'file', path: 'opt/cloudy.sh', host })).sha256, { timeout: patient(60_000) }).toBe(cloudy);
  }
  await expect(page.getByText('Withdrawn: servers run it again')).toBeVisible();
});

test('a sample leaves as an encrypted archive, and is held', async ({ page, stage }) => {
  await signIn(page, stage);
  await page.goto('/ui/samples');
  const row = page.getByRole('row').filter({ hasText: cloudy.slice(0, 12) });
  await row.getByRole('button', { name: 'Download…' }).click();
  const dialog = page.getByRole('dialog');
  const coming = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Download encrypted' }).click();
  const archive = await coming;
  expect(archive.suggestedFilename()).toBe(`${cloudy}.age`);
  const bytes = await readFile(await archive.path());
  expect(bytes.subarray(0, 21).toString()).toBe('age-encryption.org/v1');
  expect(bytes.includes('#!/bin/sh')).toBe(false);
  await expect(dialog.locator('code.secret').first()).toHaveText(/^[\w-]{20,}$/);
  await dialog.getByRole('button', { name: 'I have the password' }).click();

  await row.getByRole('button', { name: 'Hold…' }).click();
  await dialog.getByLabel('Reason').fill('case 12');
  await dialog.getByRole('button', { name: 'Hold', exact: true }).click();
  await expect(row.getByText('case 12')).toBeVisible();
  await expect(row.getByRole('button', { name: 'Delete…' })).toBeDisabled();
  const audit = await stage.call('GET', '/audit?limit=50');
  expect(JSON.stringify(audit)).toContain('sample.download');
});

test('a person calls a content bad and takes it back at once', async ({ page, stage }) => {
  test.setTimeout(patient(120_000));
  const [clean] = await stage.drop({ what: 'clean', path: 'opt/clean.sh' });
  if (!clean) throw new Error('nothing was dropped');
  expect((await stage.ask({ do: 'run', path: 'opt/clean.sh', wait: true })).stdout).toBe('ran\n');
  await stage.ask({ do: 'wait-for', list: `/files/${clean.sha256}`, where: { '/file/sha256': clean.sha256 }, seconds: 60 });
  // Nobody isolates before the time of the ring: refusing is what is looked at.
  await stage.ask({ do: 'consent', change: { ring_seconds: 3600 } });
  await signIn(page, stage);
  await page.goto(`/ui/programs?sha256=${clean.sha256.slice(0, 20)}`);
  await page.getByRole('link', { name: clean.sha256.slice(0, 12) }).click();
  await page.getByRole('button', { name: 'Call it bad…' }).click();
  const dialog = page.getByRole('dialog');
  const say = dialog.getByRole('button', { name: 'Call it bad', exact: true });
  await expect(say).toBeDisabled();
  await dialog.getByLabel('Reason').fill('a story');
  await say.click();
  await expect(page.getByText('By a person').first()).toBeVisible();
  await expect.poll(async () => (await stage.ask({ do: 'run', path: 'opt/clean.sh', wait: true })).refused, { timeout: patient(30_000) }).toBe(true);
  await page.getByRole('button', { name: 'Withdraw…' }).first().click();
  await dialog.getByLabel('Reason').fill('over');
  await dialog.getByRole('button', { name: /^Withdraw/ }).click();
  await expect.poll(async () => (await stage.ask({ do: 'run', path: 'opt/clean.sh', wait: true })).refused, { timeout: patient(30_000) }).toBe(false);
});
