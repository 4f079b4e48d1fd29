// SPDX-License-Identifier: Apache-2.0
/** In how many projects a switch is on. */
import { expect, it } from 'vitest';
import { countSwitches } from './switches';

it('counts each switch over the projects', () => {
  const items = [
    { name: 'isolate_and_kill', on: true },
    { name: 'malware_cloud_scan', on: false },
    { name: 'isolate_and_kill', on: false },
    { name: 'malware_cloud_scan', on: false },
  ];
  expect(countSwitches(items)).toEqual([
    { name: 'isolate_and_kill', on: 1, of: 2 },
    { name: 'malware_cloud_scan', on: 0, of: 2 },
  ]);
  expect(countSwitches([])).toEqual([]);
});
