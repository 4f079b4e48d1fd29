// SPDX-License-Identifier: Apache-2.0
/** The two kinds of own keys, each with its address. */
import { useTranslation } from 'react-i18next';
import { PageTabs } from '@/parts/Page';

export function KeyTabs() {
  const { t } = useTranslation('keys');
  return <PageTabs label={t('apiKeys.title')} tabs={[{ to: '/keys', name: t('apiKeys.title') }, { to: '/keys/access', name: t('accessKeys.title') }]} />;
}
