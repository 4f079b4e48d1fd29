// SPDX-License-Identifier: Apache-2.0
/** The server's recommendation in the reader's language; one that is not known here stands there as it came. */
import { useTranslation } from 'react-i18next';

/** Beginning of the server's sentence -> key below `alarms:advice.`. */
const KNOWN: readonly [string, string][] = [
  ['Look at the host:', 'host'],
  ['A test program:', 'test'],
  ['Nothing more is to be done', 'handled'],
  ['The file is isolated', 'isolated'],
  ['The file is not isolated', 'notIsolated'],
  ['It cannot run', 'denied'],
  ['Rated high', 'high'],
  ['Look at the evidence', 'medium'],
  ['Worth a look', 'low'],
];

export function adviceKey(said: string): string | null {
  return KNOWN.find(([begin]) => said.startsWith(begin))?.[1] ?? null;
}

export function useAdvice(said: string): string {
  const { t } = useTranslation('alarms');
  const key = adviceKey(said);
  return key ? t(`advice.${key}`) : said;
}
