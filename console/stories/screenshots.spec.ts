// SPDX-License-Identifier: Apache-2.0
/** Pictures of every page in both languages, for `cargo xtask screenshots`; they show a real fleet. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FLEET, open, prefer, settle } from './fleet';
import { patient, test } from './stage';

test.use({ stageOptions: FLEET });

test('pictures of every page @screenshots', async ({ page, stage, context }, info) => {
  test.setTimeout(patient(900_000));
  const places = await settle(page, stage);
  const folder = process.env.LAZARET_SCREENSHOTS ?? info.outputPath('screenshots');
  for (const language of ['en', 'zh'] as const) {
    await mkdir(join(folder, language), { recursive: true });
    const shown = await context.newPage();
    await prefer(shown, language, 'light');
    for (const place of places) {
      await open(shown, place);
      await shown.screenshot({ path: join(folder, language, `${place.name}.png`), animations: 'disabled', caret: 'hide' });
    }
    await shown.close();
  }
});
