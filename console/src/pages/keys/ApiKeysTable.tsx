// SPDX-License-Identifier: Apache-2.0
/** The own API keys. */
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import { KeysTable } from './KeysTable';
import { KeyText } from './KeyText';
import { NewKey } from './NewKey';

const PATH = '/api/v1/me/api-keys';

export function ApiKeysTable({ height }: { height?: number }) {
  const { t } = useTranslation('keys');
  const rows = wholeList(useGet(PATH));
  const create = useSend('post', PATH, { changes: [PATH] });
  const revoke = useSend('delete', `${PATH}/{id}`, { changes: [PATH] });
  return (
    <KeysTable
      id="keys"
      label={t('apiKeys.title')}
      rows={rows}
      idOf={(row) => row.id}
      idColumn={{ id: 'id', title: t('column.id'), width: 290, hidden: true, render: (row) => <code>{row.id}</code>, csv: (row) => row.id }}
      nameOf={(row) => row.note || row.id}
      title={t('revokeTitle')}
      text={t('apiKeys.revokeText')}
      revoke={(row) => revoke.mutateAsync({ path: { id: row.id } })}
      add={t('apiKeys.new')}
      dialog={(close) => (
        <NewKey
          title={t('apiKeys.new')}
          create={(body) => create.mutateAsync({ body })}
          once={t('onceText')}
          shown={(made) => <KeyText text={made.key} copy={t('copyKey')} />}
          onClose={close}
        />
      )}
      height={height}
    />
  );
}
