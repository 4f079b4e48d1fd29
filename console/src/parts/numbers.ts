// SPDX-License-Identifier: Apache-2.0
/** Numbers and sizes as the reader's language writes them. */

function locale(language: string): string {
  return language === 'zh' ? 'zh-CN' : 'en';
}

export function numberText(value: number, language: string): string {
  return new Intl.NumberFormat(locale(language)).format(value);
}

/** `10,000+` where the server stopped counting. */
export function totalText(total: number, capped: boolean, language: string): string {
  return capped ? `${numberText(total, language)}+` : numberText(total, language);
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function sizeText(bytes: number, language: string): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const text = new Intl.NumberFormat(locale(language), { maximumFractionDigits: digits }).format(value);
  return `${text} ${UNITS[unit] ?? 'B'}`;
}
