// SPDX-License-Identifier: Apache-2.0
/** What was done about alarms, by whom and when. */
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';
import { ThingLink } from '@/parts/links';
import { Severity, useWord } from '@/parts/tags';
import { Page } from '@/parts/Page';

type Row = Schema<'HandlingItem'>;

export default function Handlings() {
  const { t } = useTranslation('handlings');
  const word = useWord();
  const rows = useList('/api/v1/alarms/handlings', {}, (row) => `${row.alarm} ${row.at} ${row.operate_type}`);
  const columns: Column<Row>[] = [
    { id: 'at', title: t('column.at'), width: 160, grow: 0, render: (row) => <Time at={row.at} />, csv: (row) => row.at },
    { id: 'verb', title: t('column.verb'), width: 170, grow: 0, render: (row) => word('verb', row.operate_type), csv: (row) => word('verb', row.operate_type) },
    { id: 'title', title: t('column.title'), width: 240, grow: 2, render: (row) => <ThingLink to="/alarms/$id" id={row.alarm}><HostText text={row.title} /></ThingLink>, csv: (row) => row.title },
    { id: 'severity', title: t('column.severity'), width: 90, grow: 0, render: (row) => <Severity value={row.severity} />, csv: (row) => word('severity', row.severity) },
    { id: 'class', title: t('column.class'), width: 120, grow: 0, render: (row) => word('class', row.class), csv: (row) => word('class', row.class) },
    { id: 'who', title: t('column.who'), width: 120, render: (row) => <HostText text={row.who} />, csv: (row) => row.who },
    { id: 'remark', title: t('column.remark'), width: 160, render: (row) => <HostText text={row.remark} />, csv: (row) => row.remark },
  ];
  return (
    <Page title={t('handlings.title')}>
      <DataTable id="handlings-handlings" label={t('handlings.title')} rows={rows} idOf={(row) => `${row.alarm} ${row.at} ${row.operate_type}`} columns={columns} />
    </Page>
  );
}
