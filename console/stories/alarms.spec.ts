// SPDX-License-Identifier: Apache-2.0
/** Alarms as operators see and handle them: live, with evidence, by hand and back, whitelisted, in batches, as a viewer. */
import type { Page } from '@playwright/test';
import { serious } from './axe';
import { expect, patient, signIn, test } from './stage';

/** Opens the drawer of the alarm about a file. */
async function open(page: Page, file: string): Promise<ReturnType<Page['getByRole']>> {
  await page.goto(`/ui/alarms?text=${encodeURIComponent(file)}`);
  await page.getByRole('grid').getByRole('link', { name: new RegExp(file) }).first().click();
  const drawer = page.getByRole('dialog').filter({ has: page.getByRole('heading', { name: 'Confidence' }) });
  await expect(drawer).toBeVisible();
  return drawer;
}

test('an alarm appears by itself, with what was done and why', async ({ page, stage }) => {
  await stage.ask({ do: 'switch', switch: 'isolate_and_kill', on: true, project: '0' });
  await signIn(page, stage);
  await page.goto('/ui/alarms?text=bad-tool');
  await expect(page.getByText('Nothing matches the filters')).toBeVisible();
  await stage.drop({ what: 'high', path: 'bad-tool', class: 'trojan' });
  await stage.alarm('bad-tool');
  // Nobody reloads.
  const link = page.getByRole('grid').getByRole('link', { name: /bad-tool/ }).first();
  await expect(link).toBeVisible();
  await link.click();
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByRole('img', { name: /Confidence 99 of 100/ })).toBeVisible();
  await expect(drawer.getByText('lazaret_test_program', { exact: true })).toBeVisible();
  for (const step of ['Seen:', 'Refused to run', 'Isolated']) {
    await expect(drawer.getByRole('listitem').filter({ hasText: step }).first()).toBeVisible();
  }
  await expect(page).toHaveURL(/alarm=/);
  expect(await serious(page)).toEqual([]);
});

test('a lower one waits, is isolated by hand after a preview, and comes back', async ({ page, stage }) => {
  await signIn(page, stage);
  await stage.drop({ what: 'program', path: 'runner', rating: 'medium', class: 'backdoor' });
  await stage.ask({ do: 'run', path: 'runner', args: ['120'], wait: false });
  await stage.alarm('runner');
  const drawer = await open(page, 'runner');
  await drawer.getByRole('button', { name: 'Handle', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Handle alarm' });
  await dialog.getByRole('radio', { name: /^Isolate and kill/ }).check();
  // The host says what it would touch.
  await expect(dialog.getByText('Isolate the file and kill what runs from it')).toBeVisible({ timeout: patient(30_000) });
  await expect(dialog.getByText('Killed (1)')).toBeVisible();
  await dialog.getByLabel('Remark').fill('not ours');
  await dialog.getByRole('button', { name: 'Isolate and kill', exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(drawer.getByText('Killed', { exact: true }).first()).toBeVisible({ timeout: patient(30_000) });
  expect(await stage.ask({ do: 'file', path: 'runner' })).toMatchObject({ exists: false });

  await drawer.getByRole('button', { name: 'Handle', exact: true }).click();
  await dialog.getByRole('radio', { name: /^Cancel isolation/ }).check();
  await dialog.getByRole('button', { name: 'Cancel isolation', exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(drawer.getByText('Unhandled', { exact: true }).first()).toBeVisible({ timeout: patient(30_000) });
  expect(await stage.ask({ do: 'file', path: 'runner' })).toMatchObject({ exists: true });
});

test('a rule says how many past alarms it fits, and its hits are reported', async ({ page, stage }) => {
  // Hosts tell once a minute what their whitelist let through.
  test.setTimeout(patient(240_000));
  await signIn(page, stage);
  await stage.drop({ what: 'low', path: 'ours.sh' });
  await stage.alarm('ours.sh');
  const drawer = await open(page, 'ours.sh');
  await drawer.getByRole('button', { name: 'Handle', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Handle alarm' });
  await dialog.getByRole('radio', { name: /^Add to alarm whitelist/ }).check();
  await dialog.getByRole('radio', { name: 'By a rule of the alarm whitelist' }).check();
  await expect(dialog.getByText('1 alarm of the last 30 days would not have come')).toBeVisible();
  await dialog.getByLabel('Reason').fill('made by our build');
  await dialog.getByRole('button', { name: 'Add to alarm whitelist', exact: true }).click();
  await expect(page.getByText('Whitelist rule added')).toBeVisible();

  await page.goto('/ui/whitelist');
  const row = page.getByRole('grid').getByRole('row').filter({ hasText: 'made by our build' });
  await expect(row).toBeVisible();
  await row.getByRole('link').first().click();
  const hits = page.locator('section').filter({ has: page.getByRole('heading', { name: 'What it let through' }) });
  await expect(hits.getByText('Let through 0')).toBeVisible();
  // The same content again: no alarm, but the shadow report counts it.
  await stage.drop({ what: 'low', path: 'ours-again.sh' });
  await stage.ask({ do: 'run', path: 'ours-again.sh' });
  await expect
    .poll(async () => ((await stage.call('GET', '/whitelist')).items as { hits_total: number }[])[0]?.hits_total ?? 0, { timeout: patient(120_000), intervals: [2000] })
    .toBeGreaterThan(0);
  await page.reload();
  await expect(hits.getByRole('grid').getByRole('row').filter({ hasText: 'ours-again.sh' })).toBeVisible();
  await expect(hits.getByText(/^Let through [1-9]/)).toBeVisible();
  expect(await serious(page)).toEqual([]);
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  const sure = page.getByRole('dialog', { name: /Remove 1 whitelist entry/ });
  await expect(sure.getByLabel('Bring back the alarms that it suppressed')).toBeChecked();
  await sure.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page).toHaveURL(/\/ui\/whitelist$/);
  await expect(row).toBeHidden();
});

test('an alarm is ignored, and that is taken back in the message about it', async ({ page, stage }) => {
  await signIn(page, stage);
  await stage.drop({ what: 'medium', path: 'ignored.sh' });
  await stage.alarm('ignored.sh');
  const drawer = await open(page, 'ignored.sh');
  await drawer.getByRole('button', { name: 'Handle', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Handle alarm' });
  await dialog.getByRole('radio', { name: /^Ignore/ }).check();
  await dialog.getByRole('button', { name: 'Ignore', exact: true }).click();
  await expect(dialog).toBeHidden();
  const status = async () => ((await stage.alarm('ignored.sh')) as { handle_status: string }).handle_status;
  await expect.poll(status).toBe('handled');
  await page.getByRole('button', { name: 'Do not ignore' }).click();
  await expect.poll(status).toBe('unhandled');
});

test('a batch of 50 is handled at once, and its order is followed to its end', async ({ page, stage }) => {
  test.setTimeout(patient(180_000));
  await signIn(page, stage);
  await stage.ask({ do: 'seed', hosts: 2, alarms: 60 });
  await page.goto('/ui/alarms?handle_status=unhandled');
  const grid = page.getByRole('grid');
  await expect(grid.getByRole('row').nth(5)).toBeVisible();
  // From the first row to the fiftieth, as with Shift and the mouse.
  await grid.getByRole('row').nth(1).focus();
  await page.keyboard.press('Space');
  for (let i = 1; i < 50; i += 1) {
    await page.keyboard.press('ArrowDown');
    await expect(grid.locator(`[data-index="${i}"]`)).toBeFocused();
  }
  await page.keyboard.press('Shift+Space');
  const bar = page.getByRole('toolbar');
  await expect(bar.getByText('50 selected')).toBeVisible();
  await bar.getByRole('button', { name: 'Ignore' }).click();
  const dialog = page.getByRole('dialog', { name: 'Handle 50 alarms' });
  await dialog.getByRole('button', { name: 'Ignore: 50', exact: true }).click();
  await expect(dialog).toBeHidden();
  // Simulated hosts answer each order; what they tell of their alarms afterwards is left to real ones.
  const done = async () => {
    const { items } = (await stage.call('GET', '/commands?verb=handle&limit=200')) as { items: { state: string }[] };
    return items.filter((order) => order.state === 'done').length;
  };
  await expect.poll(done, { timeout: patient(30_000) }).toBeGreaterThanOrEqual(50);
  await page.goto('/ui/orders?state=done');
  await expect(page.getByRole('grid').getByRole('row').nth(5)).toBeVisible();
});

test('hostile names stay text, and a viewer only looks', async ({ page, stage }) => {
  const viewer = await stage.user('viewer');
  await stage.drop({ what: 'hostile' });
  await stage.ask({ do: 'wait-for', list: '/alarms', where: { class: 'trojan' }, seconds: 60 });
  await signIn(page, stage, viewer);
  for (const path of ['/ui/alarms', '/ui/events']) {
    await page.goto(path);
    await expect(page.getByRole('grid').getByRole('row').nth(2)).toBeVisible();
    await expect(page.locator('main img[src="x"], main svg[onload], main script')).toHaveCount(0);
    await expect(page.getByRole('checkbox', { name: 'Select all rows' })).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Isolate and kill' })).toHaveCount(0);
    expect(await serious(page)).toEqual([]);
  }
  await page.getByRole('grid').getByRole('link').first().click();
  const drawer = page.getByRole('dialog');
  await expect(drawer.getByRole('heading', { name: 'Confidence' })).toBeVisible();
  await expect(drawer.getByRole('button', { name: 'Handle', exact: true })).toHaveCount(0);
  await expect(drawer.getByRole('button', { name: 'False positive' })).toHaveCount(0);
});
