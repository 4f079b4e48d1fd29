// SPDX-License-Identifier: Apache-2.0
/** The own access keys, each with its AK; the SK of a new one is shown once, with lines of Python that use it. */
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import { CopyButton } from '@/parts/CopyButton';
import { AccessKeyMade } from './AccessKeyMade';
import { KeysTable } from './KeysTable';
import { NewKey } from './NewKey';

const PATH = '/api/v1/me/access-keys';

export function AccessKeysTable({ height }: { height?: number }) {
  const { t } = useTranslation('keys');
  const rows = wholeList(useGet(PATH));
  const create = useSend('post', PATH, { changes: [PATH] });
  const revoke = useSend('delete', `${PATH}/{access}`, { changes: [PATH] });
  return (
    <KeysTable
      id="access-keys"
      label={t('accessKeys.title')}
      rows={rows}
      idOf={(row) => row.access}
      idColumn={{
        id: 'access',
        title: 'AK',
        width: 210,
        grow: 0,
        render: (row) => (
          <>
            <code>{row.access}</code> <CopyButton text={row.access} label={t('accessKeys.copyAk')} />
          </>
        ),
        csv: (row) => row.access,
      }}
      nameOf={(row) => (row.note ? `${row.note} (${row.access})` : row.access)}
      title={t('revokeTitle')}
      text={t('accessKeys.revokeText')}
      revoke={(row) => revoke.mutateAsync({ path: { access: row.access } })}
      add={t('accessKeys.new')}
      dialog={(close) => (
        <NewKey
          title={t('accessKeys.new')}
          create={(body) => create.mutateAsync({ body })}
          once={t('accessKeys.onceText')}
          shown={(made) => <AccessKeyMade made={made} />}
          onClose={close}
        />
      )}
      height={height}
    />
  );
}
