// SPDX-License-Identifier: Apache-2.0
/** How the stories run: Debian's Chromium before servers that the stories start themselves. */
import { defineConfig } from '@playwright/test';

/** LAZARET_PATIENCE=4 waits four times as long: for machines that have much else to do. */
const patience = Number(process.env.LAZARET_PATIENCE ?? 1) || 1;

export default defineConfig({
  testDir: 'stories',
  // A story starts nothing but a browser: its server stands as long as its worker.
  timeout: 90_000 * patience,
  expect: { timeout: 15_000 * patience },
  // Stories of one file share a server and come one after the other.
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  reporter: 'list',
  outputDir: '../target/console/results',
  use: {
    // The server's certificate is of an authority that lives as long as the story.
    ignoreHTTPSErrors: true,
    locale: 'en-US',
    timezoneId: 'Europe/Berlin',
    viewport: { width: 1440, height: 900 },
    actionTimeout: 20_000 * patience,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.LAZARET_CHROMIUM ?? '/usr/bin/chromium',
      // As root Chromium has no sandbox; it talks to nobody but the story's server.
      args: [
        '--no-sandbox',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
});
