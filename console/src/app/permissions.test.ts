// SPDX-License-Identifier: Apache-2.0
/** Roles and what they allow, as `crates/server/src/api/permission.rs` has it. */
import { describe, expect, it } from 'vitest';
import { allows, scopeOf, type Grant, type Permission } from './permissions';

const grant = (role: Grant['role'], project = '*'): Grant => ({ role, project });

const HAVE: Record<Grant['role'], Permission[]> = {
  viewer: ['view'],
  operator: ['view', 'operate'],
  administrator: ['view', 'operate', 'administer', 'download', 'audit', 'administer_all', 'audit_all'],
  auditor: ['view', 'audit', 'audit_all'],
  analyst: ['view', 'download'],
};
const ALL: Permission[] = HAVE.administrator;

describe('permissions', () => {
  it.each(Object.keys(HAVE) as Grant['role'][])('of a %s everywhere', (role) => {
    expect(ALL.filter((p) => allows([grant(role)], p, 'any'))).toEqual(ALL.filter((p) => HAVE[role].includes(p)));
  });

  it('hold in the project of the grant only', () => {
    const grants = [grant('operator', '1'), grant('viewer', '2')];
    expect(allows(grants, 'operate', '1')).toBe(true);
    expect(allows(grants, 'operate', '2')).toBe(false);
    expect(allows(grants, 'view', '3')).toBe(false);
    expect(allows(grants, 'operate')).toBe(true);
    expect(scopeOf(grants, 'view')).toEqual(['1', '2']);
  });

  it('for the whole installation need a grant for it', () => {
    expect(allows([grant('administrator', '1')], 'administer_all')).toBe(false);
    expect(allows([grant('auditor', '1')], 'audit_all')).toBe(false);
    expect(allows([grant('auditor', '1')], 'audit')).toBe(true);
  });

  it('of nobody are none', () => {
    expect(ALL.some((p) => allows([], p))).toBe(false);
  });
});
