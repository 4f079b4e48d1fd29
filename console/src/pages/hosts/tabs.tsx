// SPDX-License-Identifier: Apache-2.0
/** Neighbouring pages of Servers & Quota. */
import { useTranslation } from 'react-i18next';
import { PageTabs } from '@/parts/Page';

export function AssetTabs() {
  const { t } = useTranslation('hosts');
  return (
    <PageTabs
      label={t('tabs')}
      tabs={[
        { to: '/hosts', name: t('hosts.title') },
        { to: '/host-groups', name: t('hostGroups.title') },
        { to: '/quotas', name: t('quotas.title') },
      ]}
    />
  );
}
