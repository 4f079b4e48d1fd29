// SPDX-License-Identifier: Apache-2.0
/** What axe finds on a page. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

/** What is serious or critical for those who cannot see, or do not use a mouse; where, and how far off. */
export async function serious(page: Page): Promise<string[]> {
  // A colour on its way from one to another is none of ours.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((one) => one.effect?.getComputedTiming().endTime !== Infinity)
        .map((one) => one.finished),
    ),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter((found) => found.impact === 'serious' || found.impact === 'critical')
    .map(({ id, nodes }) => {
      const where = nodes.slice(0, 4).map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`);
      return `${id}: ${where.join('; ')}`;
    });
}
