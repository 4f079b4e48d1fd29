// SPDX-License-Identifier: Apache-2.0
/** The own access keys: what programs sign their requests with, such as those written for HSS. */
import { useTranslation } from 'react-i18next';
import { Page } from '@/parts/Page';
import { AccessKeysTable } from './AccessKeysTable';
import { KeyTabs } from './tabs';

export default function AccessKeys() {
  const { t } = useTranslation('keys');
  return (
    <Page title={t('apiKeys.title')} about={t('accessKeys.about')} tabs={<KeyTabs />}>
      <AccessKeysTable />
    </Page>
  );
}
