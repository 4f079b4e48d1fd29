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

/** A number that leads to the list behind it, with its filters. */
export function ListLink({ to, search, children, label }: { to: string; search?: Record<string, string | undefined>; children: ReactNode; label?: string }) {
  return (
    <Link
      to={to}
      // The chosen project stays; other filters are those of the number.
      search={(before: Record<string, unknown>) => ({ project: before.project, ...search })}
      aria-label={label}
      onClick={(e) => e.stopPropagation()}
    >
      {children}
    </Link>
  );
}
