// SPDX-License-Identifier: Apache-2.0
/** A key never gets more than its owner has. */
import { describe, expect, it } from 'vitest';
import { givable, grantKey, grantOf } from './grants';

describe('what a key may be given', () => {
  it('is the same role or one within it', () => {
    expect(givable([{ role: 'operator', project: '1' }], ['1', '2']).map(grantKey)).toEqual(['operator@1', 'viewer@1']);
    expect(givable([{ role: 'auditor', project: '1' }], []).map(grantKey)).not.toContain('operator@1');
  });

  it('is also one project of all', () => {
    const keys = givable([{ role: 'viewer', project: '*' }], ['1', '2']).map(grantKey);
    expect(keys).toEqual(['viewer@*', 'viewer@1', 'viewer@2']);
  });

  it('is written and read without loss', () => {
    for (const grant of [{ role: 'viewer', project: 'a@b' }, { role: 'administrator', project: '*' }] as const) {
      expect(grantOf(grantKey(grant))).toEqual(grant);
    }
  });
});
