// SPDX-License-Identifier: Apache-2.0
/** Neighbouring pages of Server Install and Config. */
import { useTranslation } from 'react-i18next';
import { PageTabs } from '@/parts/Page';

export function InstallTabs() {
  const { t } = useTranslation('install');
  return (
    <PageTabs
      label={t('tabs')}
      tabs={[
        { to: '/install/agents', name: t('agents.title') },
        { to: '/install/security', name: t('security.title') },
        { to: '/install/web-shell-paths', name: t('webShellPaths.title') },
        { to: '/install/common', name: t('commonSettings.title') },
      ]}
    />
  );
}
