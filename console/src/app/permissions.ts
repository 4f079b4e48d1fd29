// SPDX-License-Identifier: Apache-2.0
/**
 * What the caller's roles allow, as the server sees it. Pages ask before they show a button; the server
 * decides all the same.
 */
import type { Schema } from '@/api/types';
import { useMe } from './session';
import { useProject } from './project';

export type Role = Schema<'Role'>;
export type Grant = Pick<Schema<'Grant'>, 'project' | 'role'>;

/** The words of the server's routes. */
export type Permission =
  | 'view'
  | 'operate'
  | 'administer'
  | 'download'
  | 'audit'
  | 'administer_all'
  | 'audit_all';

const HAVE: Record<Permission, readonly Role[]> = {
  view: ['viewer', 'operator', 'administrator', 'auditor', 'analyst'],
  operate: ['operator', 'administrator'],
  administer: ['administrator'],
  download: ['analyst', 'administrator'],
  audit: ['auditor', 'administrator'],
  administer_all: ['administrator'],
  audit_all: ['auditor', 'administrator'],
};

const EVERYWHERE: readonly Permission[] = ['administer_all', 'audit_all'];

/** Projects where the grants give a permission: `*` for all of them, else their ids. */
export function scopeOf(grants: readonly Grant[], permission: Permission): '*' | string[] {
  const having = grants.filter((g) => HAVE[permission].includes(g.role)).map((g) => g.project);
  if (having.includes('*')) return '*';
  if (EVERYWHERE.includes(permission)) return [];
  return [...new Set(having)].sort();
}

/** Whether the grants give it in a project; without one: in any. */
export function allows(grants: readonly Grant[], permission: Permission, project?: string): boolean {
  const scope = scopeOf(grants, permission);
  if (scope === '*') return true;
  return project === undefined ? scope.length > 0 : scope.includes(project);
}

/**
 * `can('operate', alarm.project)` for a thing; `can('operate')` for what belongs to the project that is
 * chosen in the header, or to any where none is.
 */
export function useCan(): (permission: Permission, project?: string) => boolean {
  const me = useMe();
  const { project: chosen } = useProject();
  return (permission, project) => allows(me.grants, permission, project ?? chosen);
}
