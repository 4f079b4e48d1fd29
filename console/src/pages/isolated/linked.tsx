// SPDX-License-Identifier: Apache-2.0
/** Filters that links of other pages set, and that nobody types: the server by its id. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Search } from '@/app/search';
import { HostLink } from '@/parts/links';
import './isolated.css';

export interface LinkedHost {
  id: string | undefined;
  query: { host?: string };
  active: boolean;
  clear: () => void;
}

/** `?host=ID` */
export function useOfHost(): LinkedHost {
  const { host } = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  // What is no id would be refused as a whole.
  const id = host && /^[0-9a-f-]{36}$/.test(host) ? host : undefined;
  return {
    id,
    query: id ? { host: id } : {},
    active: id !== undefined,
    clear: () => void navigate({ to: '.', search: (before: Search) => ({ ...before, host: undefined }) }),
  };
}

/** Says that only one server's things are shown, and ends that. */
export function OfHost({ of }: { of: LinkedHost }) {
  return of.id ? <Shown id={of.id} clear={of.clear} /> : null;
}

function Shown({ id, clear }: { id: string; clear: () => void }) {
  const { t } = useTranslation('isolated');
  const found = useGet('/api/v1/hosts/{id}', { path: { id } });
  return (
    <p className="page-about">
      {t('onlyHost')} <HostLink host={found.data?.host ?? { id, name: id }} />{' '}
      <Button size="small" type="link" onClick={clear}>
        {t('allHosts')}
      </Button>
    </p>
  );
}

/** A digest that is still being typed is no filter yet. */
export function wholeDigest<Q extends { sha256?: string | null }>(query: Partial<Q>): Partial<Q> {
  const sha256 = query.sha256?.toLowerCase();
  if (sha256 === undefined) return query;
  return { ...query, sha256: /^[0-9a-f]{64}$/.test(sha256) ? sha256 : undefined };
}
