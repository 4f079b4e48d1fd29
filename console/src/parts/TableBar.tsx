// SPDX-License-Identifier: Apache-2.0
/** Above a table: what can be done with the chosen rows, how many there are, columns, export, reload. */
import { DownloadOutlined, ReloadOutlined, SettingOutlined } from '@ant-design/icons';
import { App, Button, Checkbox, Popover } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Rows } from '@/api/lists';
import type { Column, useColumns } from './columns';
import { csvOf, fileNameOf, saveCsv } from './csv';
import { totalText, numberText } from './numbers';

/** More rows than spreadsheets like are an export of the server. */
const MOST_ROWS = 100_000;

interface Props<T> {
  id: string;
  rows: Rows<T>;
  columns: readonly Column<T>[];
  chosen: ReturnType<typeof useColumns<T>>;
  selected: number;
  full: boolean;
  most: number;
  onClear: () => void;
  batch: ReactNode;
  tools?: ReactNode;
  onExport?: () => Promise<void>;
}

export function TableBar<T>(props: Props<T>) {
  const { rows, chosen } = props;
  const { t, i18n } = useTranslation('parts');
  const { message } = App.useApp();
  const [exporting, setExporting] = useState(false);

  const exportAll = async () => {
    setExporting(true);
    try {
      if (props.onExport) {
        await props.onExport();
      } else {
        const columns = chosen.shown.filter((c) => c.csv);
        const all = await rows.everything(MOST_ROWS);
        const csv = csvOf(columns.map((c) => c.title), all.map((row) => columns.map((c) => c.csv?.(row))));
        saveCsv(fileNameOf(props.id), csv);
        message.success(t('table.exported', { count: all.length, number: numberText(all.length, i18n.language) }));
      }
    } catch (e) {
      message.error(e instanceof Error ? e.message : String(e));
    } finally {
      setExporting(false);
    }
  };

  const columnList = (
    <div className="column-list">
      {props.columns.map((c) => (
        <Checkbox key={c.id} checked={chosen.isShown(c.id)} onChange={() => chosen.toggle(c.id)}>
          {c.title}
        </Checkbox>
      ))}
      <Button size="small" type="link" onClick={chosen.reset}>
        {t('table.resetColumns')}
      </Button>
    </div>
  );

  return (
    <div className="table-bar">
      {props.selected > 0 ? (
        <div className="batch" role="toolbar" aria-label={t('table.batch')}>
          <span role="status">
            {t('table.selected', { count: props.selected })}
            {props.full && ` ${t('table.full', { count: props.most })}`}
          </span>
          {props.batch}
          <Button size="small" type="link" onClick={props.onClear}>
            {t('table.unselect')}
          </Button>
        </div>
      ) : (
        <div className="table-tools">{props.tools}</div>
      )}
      {rows.grown && (
        <Button size="small" type="link" onClick={rows.reload}>
          {t('table.grown')}
        </Button>
      )}
      <span className="table-count" role="status">
        {!rows.loading &&
          t('table.count', {
            shown: numberText(rows.rows.length, i18n.language),
            total: totalText(Math.max(rows.total, rows.rows.length), rows.totalIsCapped, i18n.language),
          })}
      </span>
      <Popover content={columnList} title={t('table.columns')} trigger="click" placement="bottomRight">
        <Button size="small" type="text" icon={<SettingOutlined />} aria-label={t('table.columns')} title={t('table.columns')} />
      </Popover>
      <Button
        size="small"
        type="text"
        icon={<DownloadOutlined />}
        loading={exporting}
        disabled={rows.rows.length === 0}
        aria-label={t('table.export')}
        title={t('table.export')}
        onClick={() => void exportAll()}
      />
      <Button size="small" type="text" icon={<ReloadOutlined />} aria-label={t('table.reload')} title={t('table.reload')} onClick={rows.reload} />
    </div>
  );
}
