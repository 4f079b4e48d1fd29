// SPDX-License-Identifier: Apache-2.0
/** The own API keys: what programs sign in with. */
import { useTranslation } from 'react-i18next';
import { Page } from '@/parts/Page';
import { ApiKeysTable } from './ApiKeysTable';
import { KeyTabs } from './tabs';

export default function ApiKeys() {
  const { t } = useTranslation('keys');
  return (
    <Page title={t('apiKeys.title')} about={t('apiKeys.about')} tabs={<KeyTabs />}>
      <ApiKeysTable />
    </Page>
  );
}
