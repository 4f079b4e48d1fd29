// SPDX-License-Identifier: Apache-2.0
/** Every page in both languages and themes: it shows what it has, in its language, and nothing serious for axe. */
import type { Page } from '@playwright/test';
import { serious } from './axe';
import { FLEET, open, prefer, settle, type Place } from './fleet';
import { expect, patient, signIn, type Stage, test } from './stage';

test.use({ stageOptions: FLEET });
test.describe.configure({ mode: 'serial' });

let places: Place[] = [];

/** Filled once for all stories of this file. */
async function filled(page: Page, stage: Stage): Promise<Place[]> {
  if (places.length === 0) places = await settle(page, stage);
  else await signIn(page, stage);
  return places;
}

for (const [language, theme] of [
  ['en', 'light'],
  ['zh', 'dark'],
] as const) {
  test(`every page, ${language}, ${theme}`, async ({ page, stage }) => {
    test.setTimeout(patient(900_000));
    await prefer(page, language, theme);
    const wrong: string[] = [];
    for (const place of await filled(page, stage)) {
      await open(page, place);
      wrong.push(...(await serious(page)).map((found) => `${place.name}: ${found}`));
      expect(await page.locator('html').getAttribute('data-theme')).toBe(theme);
      expect(await page.locator('html').getAttribute('lang')).toBe(language === 'zh' ? 'zh-CN' : 'en');
      // A text that is missing shows its key.
      const text = await page.locator('body').innerText();
      const keys = text.match(/(^|\s)[a-z]+(\.[a-z][a-zA-Z]+)+(_one|_other)(?=\s|$)/g) ?? [];
      if (keys.length) wrong.push(`${place.name}: ${keys.join(' ')}`);
      if (language === 'zh' && !/[\u4e00-\u9fff]/.test(await page.locator('main').innerText())) wrong.push(`${place.name}: no Chinese`);
    }
    expect(wrong).toEqual([]);
  });
}

test('language and theme are changed in the header, and stay', async ({ page, stage }) => {
  await filled(page, stage);
  await page.goto('/ui/alarms');
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByRole('menuitem', { name: '简体中文' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('主机安全告警');
  await page.getByRole('button', { name: '主题' }).click();
  await page.getByRole('menuitem', { name: '深色' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');

  // The main work, in Chinese.
  await page.goto('/ui/alarms?text=agent.sh');
  await page.getByRole('grid').getByRole('link', { name: /agent\.sh/ }).first().click();
  await page.getByRole('button', { name: '处理', exact: true }).first().click();
  const dialog = page.getByRole('dialog', { name: '处理告警' });
  await dialog.getByRole('radio', { name: /^忽略/ }).check();
  await dialog.getByLabel('备注').fill('测试');
  await dialog.getByRole('button', { name: '忽略', exact: true }).click();
  await expect(dialog).toBeHidden();
  await page.goto('/ui/handlings?operate_type=ignore');
  await expect(page.getByRole('grid').getByRole('row').filter({ hasText: '测试' })).toContainText('忽略');
});
