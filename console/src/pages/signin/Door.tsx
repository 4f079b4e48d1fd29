// SPDX-License-Identifier: Apache-2.0
/** The frame of pages before the console: language and theme, one box. */
import type { ReactNode } from 'react';
import { LanguageMenu, ThemeMenu } from '@/app/Header';

export function Door({ title, sub, children }: { title: string; sub: string; children: ReactNode }) {
  return (
    <div className="door">
      <header className="door-top">
        <span className="brand">Lazaret</span>
        <span className="top-space" />
        <LanguageMenu />
        <ThemeMenu />
      </header>
      <main className="door-panel">
        <h1>{title}</h1>
        <p className="door-sub">{sub}</p>
        {children}
      </main>
    </div>
  );
}
