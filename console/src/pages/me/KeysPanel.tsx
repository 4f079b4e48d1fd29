// SPDX-License-Identifier: Apache-2.0
/** The own keys of both kinds, in the account. */
import { useTranslation } from 'react-i18next';
import { AccessKeysTable } from '@/pages/keys/AccessKeysTable';
import { ApiKeysTable } from '@/pages/keys/ApiKeysTable';
import { Panel } from '@/parts/Page';

export function KeysPanel() {
  const { t } = useTranslation('keys');
  return (
    <>
      <Panel flush title={t('apiKeys.title')}>
        <ApiKeysTable height={320} />
      </Panel>
      <Panel flush title={t('accessKeys.title')}>
        <AccessKeysTable height={320} />
      </Panel>
    </>
  );
}
