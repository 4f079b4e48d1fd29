// SPDX-License-Identifier: Apache-2.0
/** What a key may be given: what its owner has, or less. */
import type { Grant, Role } from '@/app/permissions';

const LESS: Record<Role, Role[]> = {
  administrator: ['administrator', 'operator', 'auditor', 'analyst', 'viewer'],
  operator: ['operator', 'viewer'],
  auditor: ['auditor', 'viewer'],
  analyst: ['analyst', 'viewer'],
  viewer: ['viewer'],
};

/** Every grant that those of the owner include, in the projects that the owner has by name and `*`. */
export function givable(own: readonly Grant[], projects: readonly string[]): Grant[] {
  const found = new Map<string, Grant>();
  for (const grant of own) {
    // A role for all projects can be given for one of them.
    const places = grant.project === '*' ? ['*', ...projects] : [grant.project];
    for (const project of places) {
      for (const role of LESS[grant.role]) found.set(`${role}@${project}`, { role, project });
    }
  }
  return [...found.values()];
}

export function grantKey(grant: Grant): string {
  return `${grant.role}@${grant.project}`;
}

/** A project's id may hold an `@`; a role never does. */
export function grantOf(key: string): Grant {
  const at = key.indexOf('@');
  return { role: key.slice(0, at) as Role, project: key.slice(at + 1) };
}
