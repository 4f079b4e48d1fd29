// SPDX-License-Identifier: Apache-2.0
/** What surrounds all pages: theme, language, data. */
import { QueryClientProvider, type QueryClient } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { ConfigProvider } from 'antd';
import en from 'antd/locale/en_US';
import i18next from 'i18next';
import { StrictMode, Suspense, useEffect, useMemo, useState } from 'react';
import { nonce } from './nonce';
import { useDark, usePreferences } from './preferences';
import { router } from './router';
import { Loading } from './states';
import { dressDocument, themeOf } from './theme';

/** The library's own texts. English comes along; Chinese is fetched. */
function useLibraryTexts(language: string): typeof en {
  const [texts, setTexts] = useState(en);
  useEffect(() => {
    let here = true;
    if (language !== 'zh') setTexts(en);
    else void import('antd/locale/zh_CN').then((m) => here && setTexts(m.default));
    return () => {
      here = false;
    };
  }, [language]);
  return texts;
}

export function App({ client }: { client: QueryClient }) {
  const { language } = usePreferences();
  const dark = useDark();
  const texts = useLibraryTexts(language);
  const csp = useMemo(() => ({ nonce: nonce() }), []);
  const theme = useMemo(() => themeOf(dark), [dark]);

  useEffect(() => dressDocument(dark), [dark]);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    if (i18next.language !== language) void i18next.changeLanguage(language);
  }, [language]);

  return (
    <StrictMode>
      <ConfigProvider csp={csp} theme={theme} locale={texts} button={{ autoInsertSpace: false }} wave={{ disabled: true }}>
        <QueryClientProvider client={client}>
          <Suspense fallback={<Loading tall />}>
            <RouterProvider router={router} />
          </Suspense>
        </QueryClientProvider>
      </ConfigProvider>
    </StrictMode>
  );
}
