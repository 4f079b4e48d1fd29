// SPDX-License-Identifier: Apache-2.0
/**
 * The number that the server gave this answer's styles (CSP). The library takes it from its provider, but for what it
 * adds while a dialog is open; so it is put on every style sheet that is made here.
 */
const given =
  typeof document === 'undefined'
    ? undefined
    : document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce || undefined;

export function nonce(): string | undefined {
  return given;
}

if (given) {
  const make = document.createElement.bind(document) as (name: string, options?: ElementCreationOptions) => HTMLElement;
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const made = make(name, options);
    if (made instanceof HTMLStyleElement) made.nonce = given;
    return made;
  }) as typeof document.createElement;
}
