// SPDX-License-Identifier: Apache-2.0
/** Orders to servers and what came of each. */
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import { useProject } from '@/app/project';
import { DataTable } from '@/parts/DataTable';
import { Page } from '@/parts/Page';
import { useOrderColumns } from './columns';

export default function Orders() {
  const { t } = useTranslation('orders');
  const navigate = useNavigate();
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/commands', { query: projectQuery }, (row) => row.id);
  const columns = useOrderColumns(rows.rows, true);
  return (
    <Page title={t('orders.title')}>
      <DataTable
        id="orders-orders"
        label={t('orders.title')}
        rows={rows}
        idOf={(row) => row.id}
        columns={columns}
        onOpen={(row) => {
          if (row.task) void navigate({ to: '/orders/$id', params: { id: row.task } });
        }}
      />
    </Page>
  );
}
