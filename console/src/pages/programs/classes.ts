// SPDX-License-Identifier: Apache-2.0
/** What a content can be called. */
import type { Schema } from '@/api/types';

export const CLASSES: readonly Schema<'Class'>[] = [
  'trojan',
  'virus',
  'worm',
  'botnet',
  'backdoor',
  'rootkit',
  'ransomware',
  'hacktool',
  'webshell',
  'miner',
  'reverseshell',
  'malware',
];
