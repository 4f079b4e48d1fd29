// SPDX-License-Identifier: Apache-2.0
/** What an audit row shows of what changed. */
import { expect, test } from 'vitest';
import { differences } from './differences';

test('members that differ are named by their path', () => {
  expect(differences({ a: 1, b: { c: [1], d: 'x' } }, { a: 1, b: { c: [1, 2], e: null } })).toEqual([
    { path: 'b.c', before: '[1]', after: '[1,2]' },
    { path: 'b.d', before: '"x"', after: '-' },
    { path: 'b.e', before: '-', after: 'null' },
  ]);
  expect(differences({ a: [1] }, { a: [1] })).toEqual([]);
});
