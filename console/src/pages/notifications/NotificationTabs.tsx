// SPDX-License-Identifier: Apache-2.0
/** Targets, and what they did not take. */
import { useTranslation } from 'react-i18next';
import { PageTabs } from '@/parts/Page';

export function NotificationTabs() {
  const { t } = useTranslation('notifications');
  return <PageTabs label={t('notifications.title')} tabs={[{ to: '/notifications', name: t('targets') }, { to: '/notifications/dead-letters', name: t('dead.title') }]} />;
}
