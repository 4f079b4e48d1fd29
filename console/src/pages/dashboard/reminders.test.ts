// SPDX-License-Identifier: Apache-2.0
/** Who is reminded that nothing acts by itself. */
import { expect, it } from 'vitest';
import { remindedOf } from './reminders';

it('names projects that remind and whose switch is off', () => {
  const switches = [
    { project: 'a', name: 'isolate_and_kill', on: false },
    { project: 'a', name: 'malware_cloud_scan', on: false },
    { project: 'b', name: 'isolate_and_kill', on: false },
    { project: 'c', name: 'isolate_and_kill', on: true },
    { project: 'd', name: 'isolate_and_kill', on: false },
  ];
  const reminders = [
    { project: 'a', reminders: true },
    { project: 'b', reminders: false },
    { project: 'c', reminders: true },
  ];
  // Of d nothing is known.
  expect(remindedOf(switches, reminders)).toEqual(['a']);
  expect(remindedOf([], reminders)).toEqual([]);
});
