// SPDX-License-Identifier: Apache-2.0
/** How the console is built: one chunk per page, charts apart, a placeholder for the nonce of each answer. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The server that `npm run dev` and `npm run preview` pass /api on to.
const server = process.env.LAZARET_URL ?? 'http://127.0.0.1:7080';
const proxy = {
  '/api': {
    target: server,
    changeOrigin: false,
    // A server made for trying out has a certificate of its own authority.
    secure: false,
  },
};

export default defineConfig({
  base: '/ui/',
  plugins: [react()],
  // lazaret-server puts a fresh nonce in its place in every answer.
  html: { cspNonce: 'LAZARET_CSP_NONCE' },
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { port: 5173, strictPort: false, proxy },
  preview: { port: 4173, strictPort: false, proxy },
  build: {
    target: 'es2022',
    manifest: true,
    sourcemap: false,
    chunkSizeWarningLimit: 1200,
    // Everything is a file of its own: the CSP takes no `data:` but for pictures.
    assetsInlineLimit: 0,
    rollupOptions: {
      output: {
        manualChunks(id) {
          if (/node_modules\/(echarts|zrender)\//.test(id)) return 'charts';
          if (/node_modules\/(react|react-dom|scheduler)\//.test(id)) return 'react';
          return undefined;
        },
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
    setupFiles: ['src/app/test-setup.ts'],
    testTimeout: 20000,
  },
});
