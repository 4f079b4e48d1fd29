// SPDX-License-Identifier: Apache-2.0
/** The form of a policy group: only what was changed is sent, and paths are looked at. */
import { expect, test } from 'vitest';
import { changed, fieldsOf, linesOf, settingsOf, wrongPath, type Settings } from './settings';

const WHOLE: Settings = {
  automatic_classes: ['miner', 'webshell'],
  protect_mode: 'high_detection',
  high_threshold: 90,
  medium_threshold: 40,
  freeze_seconds: 0,
  max_isolations_per_hour: 5,
  max_kills_per_hour: 6,
  dry_run: false,
  test_programs: true,
  condemn_archives: true,
  web_roots: ['/srv/www'],
  exclude: ['/proc/x', '/a b'],
};

test('settings go into the form and back as they were', () => {
  expect(settingsOf(fieldsOf(WHOLE))).toEqual(WHOLE);
  expect(settingsOf(fieldsOf({}))).toEqual({});
  // No class at all is something else than the host's own classes.
  expect(settingsOf(fieldsOf({ automatic_classes: [] }))).toEqual({ automatic_classes: [] });
});

test('folders: one a line, absolute, each once', () => {
  expect(linesOf(' /a \n\n/b\n/a')).toEqual(['/a', '/b']);
  expect(wrongPath('/a\n/b')).toBeNull();
  expect(wrongPath('/a\nb')).toEqual({ line: 'b' });
  expect(wrongPath('/a/../b')).toEqual({ line: '/a/../b' });
  expect(wrongPath(Array.from({ length: 201 }, (_, i) => `/d${i}`).join('\n'))).toEqual({ many: true });
});

test('what changed is named', () => {
  expect(changed(WHOLE, WHOLE)).toEqual([]);
  expect(changed(WHOLE, { ...WHOLE, dry_run: true })).toEqual(['dry_run']);
  expect(changed({}, { web_roots: [] })).toEqual([]);
  expect(changed({}, { automatic_classes: [] })).toEqual(['automatic_classes']);
});
