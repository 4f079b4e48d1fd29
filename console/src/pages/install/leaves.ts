// SPDX-License-Identifier: Apache-2.0
/** What leaves the hosts under a consent, as sentences in the reader's language: the server's own, said here. */
import type { TFunction } from 'i18next';
import type { Schema } from '@/api/types';
import { sizeText } from '@/parts/numbers';

export type Consent = Schema<'CloudScanConsent'>;

/** Sentences, each on its own. */
export function leavesOf(c: Consent, on: boolean, t: TFunction<'security'>, language: string): string[] {
  if (!c.hashes) return [t('leaves.nothing')];
  const out: string[] = [];
  if (!on) out.push(t('leaves.switchOff'));
  out.push(t('leaves.hashes'));
  if (c.samples) {
    const kinds = c.kinds.map((k) => t(`leaves.kind.${k}`)).join(t('leaves.and'));
    out.push(t('leaves.samples', { kinds, size: sizeText(c.max_sample_bytes, language) }));
    if (c.bytes_per_second > 0) out.push(t('leaves.rate', { size: sizeText(c.bytes_per_second, language) }));
    out.push(c.retention_days === 0 ? t('leaves.keptForever') : t('leaves.kept', { count: c.retention_days }));
    out.push(c.exclude.length === 0 ? t('leaves.noFolder') : t('leaves.exclude', { folders: c.exclude.join(', ') }));
  } else {
    out.push(t('leaves.noSamples'));
  }
  out.push(t('leaves.connectors'));
  out.push(t(c.fail_closed ? 'leaves.closed' : 'leaves.open', { ms: c.wait_ms }));
  return out;
}
