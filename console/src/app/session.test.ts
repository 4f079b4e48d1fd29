// SPDX-License-Identifier: Apache-2.0
/** Where signing in may lead: into the console and nowhere else. */
import { describe, expect, it } from 'vitest';
import { safeReturn } from './session';

describe('safeReturn', () => {
  it('keeps addresses of the console', () => {
    for (const path of ['/ui/', '/ui/alarms', '/ui/alarms?severity=high,critical&project=1', '/ui/hosts/8f?tab=x#y']) {
      expect(safeReturn(path)).toBe(path);
    }
  });

  it('takes nothing else', () => {
    const bad = [undefined, '', '/', 'ui/alarms', '//evil.example', '/ui//evil.example', '/ui/\\evil', 'https://evil.example/ui/', '/ui/ x', '/ui/\n', `/ui/${'x'.repeat(600)}`];
    for (const path of bad) expect(safeReturn(path)).toBe('/ui/');
  });
});
