// SPDX-License-Identifier: Apache-2.0
/** Lines of a form become settings, and settings keep what a form does not show. */
import { describe, expect, it } from 'vitest';
import { choiceOf, foldersOf, notAFolder, valueOf, withSettings } from './settings';

describe('folders', () => {
  it('are lines, each once', () => {
    expect(foldersOf(' /srv/www \n\n/srv/www\n/var/www html')).toEqual(['/srv/www', '/var/www html']);
  });

  it('begin at the root and stay below it', () => {
    expect(notAFolder(['/srv', 'var'])).toBe('var');
    expect(notAFolder(['/srv/../etc'])).toBe('/srv/../etc');
    expect(notAFolder(['/srv/..data'])).toBeUndefined();
  });
});

describe('settings', () => {
  it('that are not shown stay', () => {
    expect(withSettings({ high_threshold: 90, web_roots: ['/a'] }, { web_roots: [] })).toEqual({ high_threshold: 90, web_roots: [] });
    expect(withSettings({ dry_run: true, freeze_seconds: 0 }, { dry_run: undefined })).toEqual({ freeze_seconds: 0 });
  });

  it('are yes, no, or not said', () => {
    for (const value of [true, false, undefined]) expect(valueOf(choiceOf(value))).toBe(value);
    expect(choiceOf(null)).toBe('own');
  });
});
