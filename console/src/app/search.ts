// SPDX-License-Identifier: Apache-2.0
/** The part behind `?`: plain texts, so that people can read and write it, and nothing else. */

export type Search = Record<string, string | undefined>;

/** Reads `?a=b&c=d,e`. What comes twice is joined by commas, as the server's lists want it. */
export function parseSearch(text: string): Search {
  const found: Search = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (value === '') continue;
    found[name] = found[name] === undefined ? value : `${found[name]},${value}`;
  }
  return found;
}

/** Writes it, with commas and colons as they are, and without what is empty. */
export function stringifySearch(search: Record<string, unknown>): string {
  const parts = Object.entries(search)
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([name, value]) => `${encodeURIComponent(name)}=${readable(String(value))}`);
  return parts.length ? `?${parts.join('&')}` : '';
}

function readable(value: string): string {
  return encodeURIComponent(value).replace(/%2C/g, ',').replace(/%3A/g, ':').replace(/%2F/g, '/');
}
