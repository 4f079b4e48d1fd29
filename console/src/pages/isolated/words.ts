// SPDX-License-Identifier: Apache-2.0
/** What can be done with an isolated file in which state, as the server sees it. */
import type { Schema } from '@/api/types';

export type Item = Schema<'IsolatedItem'>;

export const STATUSES = [
  'isolating',
  'isolated',
  'isolated_in_place',
  'isolate_failed',
  'restoring',
  'restored',
  'restore_failed',
  'deleting',
  'deleted',
  'delete_failed',
] as const;

/** Its host's vault holds it: it can be restored, deleted and verified. */
const HELD: readonly string[] = ['isolated', 'isolated_in_place', 'restore_failed', 'delete_failed'];

export function isHeld(item: Pick<Item, 'status'>): boolean {
  return HELD.includes(item.status);
}

export const HELD_QUERY = ['isolated', 'isolated_in_place', 'restore_failed', 'delete_failed'] as const;

/** Those that something can be done with. */
export function heldOf<T extends Pick<Item, 'status'>>(chosen: readonly T[]): T[] {
  return chosen.filter(isHeld);
}
