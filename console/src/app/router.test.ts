// SPDX-License-Identifier: Apache-2.0
/** Every entry of the menu, and every address that a page links to, is one that a page has. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isGroup, isIn, MENU } from './menu';
import { router } from './router';

const entries = MENU.flatMap((m) => (isGroup(m) ? m.entries : [m]));
const leads = (path: string) => router.getMatchedRoutes(path)[2] !== undefined;

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((f) => /\.tsx?$/.test(f) && !/\.test\./.test(f))
    .map((f) => readFileSync(join(folder, f), 'utf8'));
}

describe('the router', () => {
  it('has a page for each entry of the menu', () => {
    for (const entry of entries) expect(leads(entry.to), entry.to).toBe(true);
  });

  it('has none for other addresses', () => {
    expect(leads('/no-such-page')).toBe(false);
  });

  it('has a page for each address that code names', () => {
    const named = sources('src').flatMap((text) => [...text.matchAll(/\bto(?:=|: )["']([^"'.][^"']*)["']/g)].map((m) => m[1] ?? ''));
    expect(named.length).toBeGreaterThan(20);
    for (const to of new Set(named)) expect(leads(to.replace('$id', 'x')), to).toBe(true);
  });
});

describe('the menu', () => {
  it('marks one entry for each page, also below lists', () => {
    for (const path of ['/', '/hosts/1', '/quotas', '/scans/plans', '/samples', '/install/security', '/alarms/a']) {
      expect(entries.filter((e) => isIn(e, path)), path).toHaveLength(1);
    }
  });

  it('marks none for a path that only begins alike', () => {
    expect(entries.filter((e) => isIn(e, '/alarmsx'))).toHaveLength(0);
  });
});
