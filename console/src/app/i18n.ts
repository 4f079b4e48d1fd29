// SPDX-License-Identifier: Apache-2.0
/** Texts: one namespace per area, fetched when the first page of the area wants it. */
import i18next, { type BackendModule, type ResourceKey } from 'i18next';
import { initReactI18next } from 'react-i18next';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Of every page: frame, shared parts, words for states. */
const SHARED = ['shell', 'parts', 'words'];

const files = import.meta.glob<{ default: ResourceKey }>('../i18n/*/*.json');

const backend: BackendModule = {
  type: 'backend',
  init: () => undefined,
  read(language, namespace, done) {
    const load = files[`../i18n/${language}/${namespace}.json`];
    if (!load) {
      done(new Error(`no texts ${language}/${namespace}`), false);
      return;
    }
    load().then(
      (found) => done(null, found.default),
      (e: unknown) => done(e instanceof Error ? e : new Error(String(e)), false),
    );
  },
};

export async function startTexts(language: Language): Promise<void> {
  await i18next
    .use(backend)
    .use(initReactI18next)
    .init({
      lng: language,
      fallbackLng: false,
      supportedLngs: [...LANGUAGES],
      load: 'currentOnly',
      ns: SHARED,
      defaultNS: 'shell',
      fallbackNS: ['parts'],
      // React escapes what it puts in; escaping twice would show `&amp;`.
      interpolation: { escapeValue: false },
      react: { useSuspense: true },
      returnNull: false,
      // No words of others in the browser's console.
      showSupportNotice: false,
    });
}
