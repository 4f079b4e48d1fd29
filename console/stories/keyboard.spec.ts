// SPDX-License-Identifier: Apache-2.0
/** Without a mouse: sign in, find an alarm, look at it, handle it, take it back. */
import type { Locator, Page } from '@playwright/test';
import { expect, patient, test } from './stage';

/** Goes on with Tab until a thing has the focus. */
async function tabTo(page: Page, to: Locator, back = false): Promise<void> {
  for (let i = 0; i < 120; i += 1) {
    if ((await to.count()) > 0 && (await to.first().evaluate((e) => e === document.activeElement))) return;
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  }
  throw new Error(`the keyboard does not come to ${String(to)}`);
}

test('an alarm is found, looked at and handled with keys only', async ({ page, stage }) => {
  test.setTimeout(patient(150_000));
  await stage.drop({ what: 'medium', path: 'keys-one.sh' });
  await stage.alarm('keys-one.sh');
  const { admin } = stage.ready;
  await page.goto('/ui/');
  await expect(page.getByLabel('User name')).toBeFocused();
  await page.keyboard.type(admin.user);
  await page.keyboard.press('Tab');
  await page.keyboard.type(admin.password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeVisible();

  // The first stop leads past the menu.
  await page.keyboard.press('?');
  const keys = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(keys).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(keys).toBeHidden();
  await page.keyboard.press('g');
  await page.keyboard.press('a');
  await expect(page.getByRole('heading', { name: 'Server alarms', level: 1 })).toBeVisible();

  await page.keyboard.press('/');
  await page.keyboard.type('keys-one');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/text=keys-one/);
  const row = page.getByRole('grid').getByRole('row').filter({ hasText: 'keys-one.sh' });
  await expect(row).toHaveCount(1);
  await tabTo(page, row);
  await page.keyboard.press('Enter');
  const drawer = page.getByRole('dialog').filter({ has: page.getByRole('heading', { name: 'Confidence' }) });
  await expect(drawer).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(drawer).toBeHidden();

  // Chosen with the space bar, handled in the bar above.
  await tabTo(page, row);
  await page.keyboard.press('Space');
  await expect(row).toHaveAttribute('aria-selected', 'true');
  const bar = page.getByRole('toolbar');
  await tabTo(page, bar.getByRole('button', { name: 'Ignore' }), true);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Handle alarm' });
  await expect(dialog).toBeVisible();
  await tabTo(page, dialog.getByRole('button', { name: 'Ignore', exact: true }));
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  const undo = page.getByRole('button', { name: 'Do not ignore' });
  await expect(undo).toBeVisible();
  await expect
    .poll(async () => ((await stage.alarm('keys-one.sh')) as { handle_status: string }).handle_status)
    .toBe('handled');
});

test('the first stop of every page leads past the menu', async ({ page, stage }) => {
  await page.request.post('/api/v1/login', { data: { user: stage.ready.admin.user, password: stage.ready.admin.password } });
  await page.goto('/ui/isolated');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#main')).toBeFocused();
});
