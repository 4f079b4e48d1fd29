// SPDX-License-Identifier: Apache-2.0
/** An address that no page has. */
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { State } from './states';

export function NotHere() {
  const { t } = useTranslation('shell');
  return (
    <State title={t('state.noPage')} role="alert" actions={<Link to="/">{t('state.toDashboard')}</Link>}>
      {t('state.noPageText')}
    </State>
  );
}
