// SPDX-License-Identifier: Apache-2.0
/** The frame around all pages that want somebody signed in. */
import { Outlet, useLocation, useNavigate, useRouterState } from '@tanstack/react-router';
import { App } from 'antd';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { onExpired } from '@/api/client';
import { useLive } from '@/api/live';
import { Header } from './Header';
import { Keyboard } from './Keyboard';
import { MeContext, safeReturn, useWho, type Me } from './session';
import { SideMenu } from './SideMenu';
import { Failure, Loading } from './states';

const SignInAgain = lazy(() => import('@/pages/signin/SignInAgain'));
const FirstSteps = lazy(() => import('@/pages/signin/FirstSteps'));

/** Of all routes: the page, and the messages about it, which have links and so belong inside the router. */
export function Root() {
  return (
    <App className="app" message={{ maxCount: 3 }} notification={{ placement: 'bottomRight', maxCount: 4 }}>
      <Outlet />
    </App>
  );
}

export function Shell() {
  const who = useWho();
  const navigate = useNavigate();
  const here = useLocation({ select: (l) => l.publicHref });
  const nobody = who.data === null;
  const sent = useRef(false);
  useEffect(() => {
    // Who follows a link comes back to it after signing in. Once: the address changes while this is still here.
    if (!nobody || sent.current) return;
    sent.current = true;
    void navigate({ to: '/signin', search: { return_to: safeReturn(here) }, replace: true });
  }, [nobody, navigate, here]);

  if (who.data) return <SignedIn me={who.data} />;
  if (who.error) return <Failure error={who.error} retry={() => void who.refetch()} />;
  return <Loading tall />;
}

function SignedIn({ me }: { me: Me }) {
  if (me.must_change_password || me.must_enrol_second_factor) {
    return (
      <Suspense fallback={<Loading tall />}>
        <MeContext value={me}>
          <FirstSteps />
        </MeContext>
      </Suspense>
    );
  }
  return (
    <MeContext value={me}>
      <Frame me={me} />
    </MeContext>
  );
}

function Frame({ me }: { me: Me }) {
  const { t } = useTranslation('shell');
  const [wide, setWide] = useState(true);
  const renewing = useRenewal();
  const live = useLive();
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (s) => s.resolvedLocation?.pathname });
  const before = useRef(path);

  useEffect(() => {
    // A new page is read out, and the keyboard goes on from there.
    if (before.current !== undefined && path !== before.current) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);

  return (
    <>
      <a className="skip" href="#main">
        {t('skip')}
      </a>
      <Header live={live} onMenu={() => setWide(!wide)} menuOpen={wide} />
      <div className="frame">
        {wide && (
          <aside className="side">
            <SideMenu />
          </aside>
        )}
        <main id="main" ref={main} tabIndex={-1} className="main">
          <Suspense fallback={<Loading tall />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Keyboard />
      {renewing.open && (
        <Suspense fallback={null}>
          <SignInAgain user={me.name} onDone={renewing.done} />
        </Suspense>
      )}
    </>
  );
}

/** Requests that come back with "not signed in" wait here until the person has signed in again. */
function useRenewal(): { open: boolean; done: () => void } {
  const [open, setOpen] = useState(false);
  const waiting = useRef<{ promise: Promise<void>; resolve: () => void } | null>(null);
  useEffect(() => {
    onExpired(() => {
      if (!waiting.current) {
        let resolve = (): void => undefined;
        const promise = new Promise<void>((r) => (resolve = r));
        waiting.current = { promise, resolve };
        setOpen(true);
      }
      return waiting.current.promise;
    });
    return () => onExpired(null);
  }, []);
  return {
    open,
    done: () => {
      setOpen(false);
      waiting.current?.resolve();
      waiting.current = null;
    },
  };
}
