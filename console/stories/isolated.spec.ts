// SPDX-License-Identifier: Apache-2.0
/** Isolated files: verified, brought back on every server with a receipt, deleted in a batch; hostile names; a viewer. */
import { serious } from './axe';
import { expect, patient, signIn, type Stage, test } from './stage';

test.use({ stageOptions: ['--hosts', '2'] });
test.describe.configure({ mode: 'serial' });

/** Waits until a host has isolated what lies at a path. */
async function isolated(stage: Stage, sha256: string, host: number): Promise<string> {
  const id = stage.ready.hosts[host]?.id;
  const { found } = await stage.ask({
    do: 'wait-for',
    list: `/isolated-files?host=${id}&limit=1000`,
    where: { sha256, status: 'isolated' },
    seconds: 60,
  });
  return (found as { id: string }).id;
}

test('an isolated file is verified, and comes back on every server', async ({ page, stage }) => {
  await stage.ask({ do: 'switch', switch: 'isolate_and_kill', on: true });
  const [tool] = await stage.drop({ what: 'high', path: 'opt/tool.sh' });
  await stage.drop({ what: 'high', path: 'opt/tool.sh', host: 1 });
  if (!tool) throw new Error('nothing was dropped');
  const id = await isolated(stage, tool.sha256, 0);
  await isolated(stage, tool.sha256, 1);

  await signIn(page, stage);
  await page.goto('/ui/isolated');
  const rows = page.getByRole('grid', { name: 'Isolated files' }).getByRole('row');
  await expect(rows.filter({ hasText: 'tool.sh' })).toHaveCount(2);
  expect(await serious(page)).toEqual([]);

  await page.goto(`/ui/isolated/${id}`);
  await expect(page.getByRole('heading', { name: 'tool.sh' })).toBeVisible();
  await page.getByRole('button', { name: 'Verify' }).click();
  await expect(page.getByText('Whole', { exact: true })).toBeVisible({ timeout: patient(30_000) });
  expect(await serious(page)).toEqual([]);

  await page.getByRole('button', { name: 'Restore…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: 'This content on every server (2)' }).check();
  for (const host of stage.ready.hosts) await expect(dialog.getByText(host.name)).toBeVisible();
  await dialog.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByRole('table', { name: 'Receipt' })).toBeVisible({ timeout: patient(30_000) });
  for (const host of [0, 1]) {
    await expect.poll(async () => (await stage.ask({ do: 'file', host, path: 'opt/tool.sh' })).sha256, { timeout: patient(30_000) }).toBe(tool.sha256);
  }
  await expect(page.getByText('Restored', { exact: true }).first()).toBeVisible();
});

test('names made to deceive stay names, and several are deleted at once', async ({ page, stage }) => {
  test.setTimeout(patient(150_000));
  const files = await stage.drop({ what: 'hostile' });
  for (const file of files) await isolated(stage, file.sha256, 0);
  await signIn(page, stage);
  await page.goto('/ui/isolated?status=isolated');
  const table = page.getByRole('grid', { name: 'Isolated files' });
  await expect(table.getByRole('row')).toHaveCount(files.length + 1);
  // Markup is text, and what cannot be seen is written out.
  await expect(table.locator('img, script, b, svg.evil')).toHaveCount(0);
  await expect(table.locator('.escaped').first()).toBeVisible();

  await page.getByLabel('Select all rows').check();
  await page.getByRole('button', { name: 'Delete…' }).click();
  const dialog = page.getByRole('dialog');
  const sure = dialog.getByRole('button', { name: 'Delete for good' });
  await expect(sure).toBeDisabled();
  await dialog.getByLabel('I know that this cannot be undone').check();
  await sure.click();
  await expect(dialog).toBeHidden();
  await expect.poll(async () => ((await stage.call('GET', '/isolated-files?status=deleted')).items as unknown[]).length, { timeout: patient(60_000) }).toBe(files.length);
  await page.goto('/ui/isolated?status=deleted');
  await expect(table.getByRole('row')).toHaveCount(files.length + 1);
});

test('a viewer sees them and can do nothing', async ({ page, stage }) => {
  const viewer = await stage.user('viewer');
  await signIn(page, stage, viewer);
  await page.goto('/ui/isolated');
  const first = page.getByRole('grid', { name: 'Isolated files' }).getByRole('link').first();
  await expect(first).toBeVisible();
  await expect(page.getByLabel('Select all rows')).toHaveCount(0);
  await first.click();
  await expect(page.getByRole('heading', { name: 'What was ordered' })).toBeVisible();
  for (const name of ['Restore…', 'Verify', 'Delete…', 'False positive…', 'Download…']) {
    await expect(page.getByRole('button', { name })).toHaveCount(0);
  }
});
