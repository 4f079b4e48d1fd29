// SPDX-License-Identifier: Apache-2.0
/** What jsdom lacks and our code asks for. */
if (typeof window !== 'undefined' && !window.matchMedia) {
  window.matchMedia = (media: string) =>
    ({ matches: false, media, addEventListener: () => undefined, removeEventListener: () => undefined }) as unknown as MediaQueryList;
}
