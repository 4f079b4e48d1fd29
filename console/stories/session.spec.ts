// SPDX-License-Identifier: Apache-2.0
/** The sign-in ends, or the server goes away, in the middle of a form: nothing that was typed is lost. */
import { expect, signIn, test } from './stage';

test.beforeEach(({ watched }) => {
  // The stream of changes ends with the sign-in.
  watched.allow(/EventSource/);
});

test('a sign-in that ends in the middle of a form is renewed, and the form goes on', async ({ page, stage }) => {
  const user = await stage.user('administrator', { name: 'typist' });
  await signIn(page, stage, user);
  await page.goto('/ui/host-groups');
  await page.getByRole('button', { name: 'New group' }).first().click();
  const form = page.getByRole('dialog').filter({ has: page.getByLabel('Group name') });
  await form.getByLabel('Group name').fill('half an hour of typing');
  await stage.ask({ do: 'end-sessions', user: user.user });
  await form.getByRole('button', { name: 'Make it' }).click();

  const again = page.getByRole('dialog', { name: 'Your sign-in has ended' });
  await expect(again).toBeVisible();
  await expect(again.getByText(`Sign in again as ${user.user}`, { exact: false })).toBeVisible();
  await again.getByLabel('Password', { exact: true }).fill('not this one at all');
  await again.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(again.getByRole('alert')).toContainText('wrong');
  // The page behind is what it was.
  await expect(form.getByLabel('Group name')).toHaveValue('half an hour of typing');
  await again.getByLabel('Password', { exact: true }).fill(user.password);
  await again.getByRole('button', { name: 'Sign in', exact: true }).click();

  // The order goes on by itself, once.
  await expect(again).toBeHidden();
  await expect(form).toBeHidden();
  await expect(page.getByRole('link', { name: 'Servers of half an hour of typing: 0' })).toBeVisible();
  const { items } = (await stage.call('GET', '/host-groups')) as { items: { name: string }[] };
  expect(items.filter((g) => g.name === 'half an hour of typing')).toHaveLength(1);
});

test('without the server the page says so, and goes on when it is back', async ({ page, stage, context, watched }) => {
  // The page was never fetched.
  watched.allow(/preload CSS|dynamically imported module/);
  await signIn(page, stage);
  await page.goto('/ui/hosts');
  await expect(page.getByRole('row', { name: /web-01/ })).toBeVisible();
  await context.setOffline(true);
  await page.getByRole('link', { name: 'Isolated Files' }).click();
  await expect(page.getByText('The server cannot be reached').first()).toBeVisible();
  // Nobody has to ask again.
  await context.setOffline(false);
  await expect(page.getByText('The server cannot be reached')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Isolated files', level: 1 })).toBeVisible();
});
