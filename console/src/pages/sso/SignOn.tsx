// SPDX-License-Identifier: Apache-2.0
/** Where people can sign in. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Page } from '@/parts/Page';
import { Allowed } from '@/app/states';

type Row = Schema<'ProviderView'>;

function SignOnList() {
  const { t } = useTranslation('sso');
  const rows = wholeList(useGet('/api/v1/sso/providers'));
  const columns: Column<Row>[] = [
    { id: 'title', title: t('column.title'), width: 220, render: (row) => <HostText text={row.title} />, csv: (row) => row.title },
    { id: 'name', title: t('column.name'), width: 160, grow: 0, render: (row) => <code>{row.name}</code>, csv: (row) => row.name },
  ];
  return (
    <Page title={t('signOn.title')}>
      <DataTable id="sso-signOn" label={t('signOn.title')} rows={rows} idOf={(row) => row.name} columns={columns} />
    </Page>
  );
}

export default function SignOn() {
  return (
    <Allowed to="administer_all">
      <SignOnList />
    </Allowed>
  );
}
