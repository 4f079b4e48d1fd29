// SPDX-License-Identifier: Apache-2.0
/** What is typed half is not asked. */
import { describe, expect, it } from 'vitest';
import { adviceKey } from './detail/advice';
import { wellFormed } from './fields';

describe('filters of alarms', () => {
  it('go to the server only in their form', () => {
    const half = { technique: 'T10', sha256: 'ab', address: 'x!', host: 'web', text: 'x' };
    expect(wellFormed(half)).toEqual({ text: 'x' });
    const whole = {
      technique: 'T1059.004',
      sha256: 'ab'.repeat(32),
      address: '10.0.',
      host: '01a217c4-e9ff-7005-a509-32a5c483d05d',
    };
    expect(wellFormed(whole)).toEqual(whole);
  });
});

describe('recommendations', () => {
  it('are known by their beginnings', () => {
    expect(adviceKey('A test program: nothing is to be done. Mark it as handled.')).toBe('test');
    expect(adviceKey('The file is not isolated, or not any more: the timeline says why.')).toBe('notIsolated');
    expect(adviceKey('Something quite new.')).toBeNull();
  });
});
