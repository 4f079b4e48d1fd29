// SPDX-License-Identifier: Apache-2.0
/** The enterprise project that is chosen in the header. It lives in the URL: links show what was seen. */
import { useNavigate, useSearch } from '@tanstack/react-router';

export interface Chosen {
  /** Undefined: all that the caller may see. */
  project: string | undefined;
  /** For lists: `query: { ...query, ...projectQuery }`. */
  projectQuery: { project?: string };
  choose: (project: string | undefined) => void;
}

export function useProject(): Chosen {
  const search = useSearch({ strict: false }) as Record<string, string | undefined>;
  const navigate = useNavigate();
  const project = search.project || undefined;
  return {
    project,
    projectQuery: project ? { project } : {},
    choose: (to) =>
      // Cursors and ids of the old project mean nothing in the new one; the other filters stay.
      void navigate({ to: '.', search: (before: Record<string, unknown>) => ({ ...before, project: to }) }),
  };
}
