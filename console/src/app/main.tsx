// SPDX-License-Identifier: Apache-2.0
/** Where the console begins. */
import './nonce';
import { QueryClient } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { startTexts } from './i18n';
import { mayPass } from '@/api/errors';
import { preferences } from './preferences';
import { dressDocument } from './theme';
import './app.css';
import '@/parts/parts.css';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // What the server refuses is refused again; what was not reached may be in a moment.
      retry: (failures, error) => mayPass(error) && failures < 2,
      retryDelay: (failures) => Math.min(1000 * 2 ** failures, 8000),
      refetchOnWindowFocus: true,
      // Whether the server can be reached the request finds out; what the browser thinks of the network is a guess,
      // and a query that waits for it says nothing.
      networkMode: 'always',
      refetchOnReconnect: true,
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});

const { theme, language } = preferences();
dressDocument(theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches));
document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';

const place = document.getElementById('root');
if (place) {
  void startTexts(language).then(() => createRoot(place).render(<App client={client} />));
}
