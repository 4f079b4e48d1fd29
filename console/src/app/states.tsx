// SPDX-License-Identifier: Apache-2.0
/** What stands where nothing can be shown: loading, empty, an error, offline, no permission. */
import { Button, Spin } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, OfflineError, isKind } from '@/api/errors';
import { useCan, type Permission } from './permissions';

export function Loading({ tall = false }: { tall?: boolean }) {
  const { t } = useTranslation('shell');
  return (
    <div className={tall ? 'state state-tall' : 'state'} role="status" aria-label={t('state.loading')}>
      <Spin />
    </div>
  );
}

interface StateProps {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** `alert` is read out at once. */
  role?: 'alert' | 'status';
}

export function State({ title, children, actions, role = 'status' }: StateProps) {
  return (
    <div className="state" role={role}>
      <p className="state-title">{title}</p>
      {children && <div className="state-text">{children}</div>}
      {actions && <div className="state-actions">{actions}</div>}
    </div>
  );
}

/** Nothing there: because of filters, or because there is nothing at all. */
export function Empty({ filtered, onClear, children }: { filtered?: boolean; onClear?: () => void; children?: ReactNode }) {
  const { t } = useTranslation('shell');
  if (filtered) {
    return (
      <State
        title={t('state.emptyFiltered')}
        actions={onClear && <Button onClick={onClear}>{t('state.clearFilters')}</Button>}
      />
    );
  }
  return <State title={t('state.empty')}>{children}</State>;
}

export function NoPermission({ children }: { children?: ReactNode }) {
  const { t } = useTranslation('shell');
  return (
    <State title={t('state.forbidden')} role="alert">
      {children ?? t('state.forbiddenText')}
    </State>
  );
}

/** Whatever went wrong, said so that a person knows what to do. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation('shell');
  const again = retry && <Button onClick={retry}>{t('state.retry')}</Button>;
  if (error instanceof OfflineError) {
    return (
      <State title={t('state.offline')} role="alert" actions={again}>
        {t('state.offlineText')}
      </State>
    );
  }
  if (isKind(error, 'forbidden')) return <NoPermission>{(error as ApiError).detail}</NoPermission>;
  if (isKind(error, 'not-found')) {
    return (
      <State title={t('state.notFound')} role="alert">
        {t('state.notFoundText')}
      </State>
    );
  }
  return (
    <State title={t('state.failed')} role="alert" actions={again}>
      {error instanceof Error ? error.message : String(error)}
    </State>
  );
}

interface Asked {
  isPending: boolean;
  error: Error | null;
  refetch: () => unknown;
}

/** `<Shown of={query}>{(data) => ...}</Shown>`: loading and errors are dealt with. */
export function Shown<T>({ of, children }: { of: Asked & { data: T | undefined }; children: (data: T) => ReactNode }) {
  // What was there before stays visible when a new look fails: the header tells of being offline.
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) return <Failure error={of.error} retry={() => void of.refetch()} />;
  return <Loading />;
}

/** Shows its content to those who may see it. */
export function Allowed({ to, project, children }: { to: Permission; project?: string; children: ReactNode }) {
  const can = useCan();
  return can(to, project) ? <>{children}</> : <NoPermission />;
}
