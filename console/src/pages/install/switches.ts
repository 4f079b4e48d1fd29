// SPDX-License-Identifier: Apache-2.0
/** The switches that this console knows how to turn. */
import type { PathParams, Schema } from '@/api/types';

export type SwitchName = PathParams<'/api/v1/switches/{switch}', 'put'>['switch'];
export type SwitchState = Schema<'Switch'> & { name: SwitchName };

const NAMES: Record<SwitchName, true> = { isolate_and_kill: true, malware_cloud_scan: true, malware_sample_high_detect: true };

/** The answer names switches by any word; what a newer server adds has no texts here and cannot be turned here. */
export function isKnownSwitch(row: Schema<'Switch'>): row is SwitchState {
  return Object.hasOwn(NAMES, row.name);
}
