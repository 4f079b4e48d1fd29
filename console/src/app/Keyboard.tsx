// SPDX-License-Identifier: Apache-2.0
/** Keys that work everywhere, and the list of them behind `?`. */
import { useNavigate } from '@tanstack/react-router';
import { Modal } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

const OPEN = 'lazaret:keys';

/** Opens the list of keys from anywhere. */
export function showKeys(): void {
  window.dispatchEvent(new Event(OPEN));
}

/** After `g`. */
const PLACES: Record<string, string> = {
  d: '/',
  s: '/hosts',
  a: '/alarms',
  i: '/isolated',
  e: '/events',
  w: '/whitelist',
  h: '/handlings',
  v: '/scans',
  p: '/policies',
  o: '/orders',
};

const GO_NAMES: Record<string, string> = {
  d: 'dashboard',
  s: 'servers',
  a: 'alarms',
  i: 'isolated',
  e: 'events',
  w: 'whitelist',
  h: 'handlings',
  v: 'scans',
  p: 'policies',
  o: 'orders',
};

/** Keys are letters of a text there, not orders. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
    target.closest('[role="dialog"], [role="menu"], [role="listbox"]') !== null
  );
}

export function Keyboard() {
  const { t } = useTranslation('shell');
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);

  useEffect(() => {
    let going = 0;
    const onKey = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || isTyping(e.target)) return;
      if (Date.now() - going < 1500) {
        going = 0;
        const to = PLACES[e.key];
        if (to) {
          e.preventDefault();
          void navigate({ to });
          return;
        }
      }
      if (e.key === 'g') going = Date.now();
      else if (e.key === '?') setOpen(true);
      else if (e.key === '/') {
        const search = document.querySelector<HTMLElement>('[data-key="search"] input, input[data-key="search"]');
        if (search) {
          e.preventDefault();
          search.focus();
        }
      }
    };
    const onOpen = () => setOpen(true);
    window.addEventListener('keydown', onKey);
    window.addEventListener(OPEN, onOpen);
    return () => {
      window.removeEventListener('keydown', onKey);
      window.removeEventListener(OPEN, onOpen);
    };
  }, [navigate]);

  const row = (keys: string[], what: string) => (
    <tr key={what}>
      <td>
        {keys.map((k) => (
          <kbd key={k}>{k}</kbd>
        ))}
      </td>
      <td>{what}</td>
    </tr>
  );

  return (
    <Modal open={open} onCancel={() => setOpen(false)} footer={null} title={t('keys.title')} width={520}>
      <table className="keys">
        <tbody>
          {row(['?'], t('keys.help'))}
          {row(['/'], t('keys.search'))}
          {row(['↑', '↓'], t('keys.rows'))}
          {row(['Enter'], t('keys.open'))}
          {row(['Space'], t('keys.select'))}
          {row(['Esc'], t('keys.close'))}
          {Object.entries(GO_NAMES).map(([key, name]) => row(['g', key], t(`menu.${name}`)))}
        </tbody>
      </table>
    </Modal>
  );
}
