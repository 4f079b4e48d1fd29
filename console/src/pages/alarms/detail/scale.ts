// SPDX-License-Identifier: Apache-2.0
/** Thresholds of the confidence: those of the policy group, moved by the mode, within the bounds that hosts hold. */
import type { Schema } from '@/api/types';

export interface Thresholds {
  high: number;
  medium: number;
}

export const USUAL: Thresholds = { high: 90, medium: 60 };
const LEAST: Thresholds = { high: 80, medium: 30 };
/** High detection: so much lower. */
const LOWER: Thresholds = { high: 5, medium: 15 };

export function thresholdsOf(
  settings: Pick<Schema<'PolicySettings'>, 'high_threshold' | 'medium_threshold' | 'protect_mode'> | undefined,
  switchOn: boolean,
  test: boolean,
): Thresholds {
  // Test programs keep the rating that they are made for.
  if (test) return USUAL;
  const high = settings?.high_threshold ?? USUAL.high;
  const medium = settings?.medium_threshold ?? USUAL.medium;
  const moved = settings?.protect_mode ? settings.protect_mode === 'high_detection' : switchOn;
  if (!moved) return { high, medium };
  return { high: Math.max(LEAST.high, high - LOWER.high), medium: Math.max(LEAST.medium, medium - LOWER.medium) };
}

/** What the confidence would be rated now. */
export function ratedBy(confidence: number, of: Thresholds, decisive: boolean): 'high' | 'medium' | 'low' {
  if (confidence >= of.high && decisive) return 'high';
  return confidence >= of.medium ? 'medium' : 'low';
}

/** Share of a bar that a weight takes: the heaviest evidence there is weighs 9. */
export function shareOf(weight: number): number {
  return Math.min(100, Math.round((Math.abs(weight) / 9) * 100));
}
