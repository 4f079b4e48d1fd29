// SPDX-License-Identifier: Apache-2.0
/** Links to things, wherever they are named. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { HostText } from './FileName';

export function HostLink({ host }: { host: { id: string; name: string } | null | undefined }) {
  if (!host) return <span className="none">-</span>;
  return (
    <Link to="/hosts/$id" params={{ id: host.id }}>
      <HostText text={host.name} />
    </Link>
  );
}

/** `<ThingLink to="/alarms/$id" id={row.id}>`: a row's click and the link's are the same. */
export function ThingLink({ to, id, children }: { to: string; id: string; children: ReactNode }) {
  return (
    <Link to={to} params={{ id }} onClick={(e) => e.stopPropagation()}>
      {children}
    </Link>
  );
}
