// SPDX-License-Identifier: Apache-2.0
/**
 * Every list of the console. Pages come from the server as the reader scrolls, only rows in sight are in
 * the document, columns can be chosen, rows selected, everything exported, and the keyboard does it all.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { Checkbox } from 'antd';
import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Rows } from '@/api/lists';
import { Empty, Failure, Loading } from '@/app/states';
import { useColumns, type Column } from './columns';
import { useSelection } from './selection';
import { TableBar } from './TableBar';

export type { Column } from './columns';

interface Props<T> {
  /** Names the choice of columns and the exported file. */
  id: string;
  /** Read out before the table. */
  label: string;
  rows: Rows<T>;
  idOf: (row: T) => string;
  columns: readonly Column<T>[];
  /** Enter, or a click on the row. */
  onOpen?: (row: T) => void;
  /** Buttons for the rows that are chosen; without it rows are not chosen. */
  batch?: (chosen: T[], clear: () => void) => ReactNode;
  maxSelected?: number;
  /** Filters are on: an empty table says so. */
  filtered?: boolean;
  onClearFilters?: () => void;
  /** Instead of "nothing here". */
  empty?: ReactNode;
  /** In the bar, to the left. */
  tools?: ReactNode;
  /** A table in a panel has a height of its own; else it takes what the page has left. */
  height?: number;
  rowHeight?: number;
  /** Instead of reading all pages: the server writes the file. */
  onExport?: () => Promise<void>;
  rowClass?: (row: T) => string | undefined;
}

export function DataTable<T>(props: Props<T>) {
  const { id, label, rows, idOf, columns, onOpen, batch, height, rowHeight = 34 } = props;
  const { t } = useTranslation('parts');
  const chosen = useColumns(id, columns);
  const selection = useSelection(rows.rows, idOf, props.maxSelected ?? 100);
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const count = rows.rows.length;

  const virtual = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: (i) => {
      const row = rows.rows[i];
      return row === undefined ? i : idOf(row);
    },
  });
  const items = virtual.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  const { more, hasMore } = rows;
  useEffect(() => {
    // A screen ahead of the reader.
    if (hasMore && count > 0 && lastSeen >= count - 30) more();
    // `more` is a new function on every render, and does nothing while it is at work.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [lastSeen, count, hasMore]);

  const template = [
    ...(batch ? ['36px'] : []),
    ...chosen.shown.map((c) => (c.grow === 0 ? `${c.width}px` : `minmax(${c.width}px, ${c.grow ?? 1}fr)`)),
  ].join(' ');
  const least = chosen.shown.reduce((sum, c) => sum + c.width, batch ? 36 : 0);

  const go = (to: number) => {
    const at = Math.max(0, Math.min(count - 1, to));
    setActive(at);
    virtual.scrollToIndex(at, { align: 'auto' });
    // The row may come into the document only after scrolling.
    requestAnimationFrame(() => {
      box.current?.querySelector<HTMLElement>(`[data-index="${at}"]`)?.focus({ preventScroll: true });
    });
  };
  const screen = () => Math.max(1, Math.floor((box.current?.clientHeight ?? 400) / rowHeight) - 2);

  const onKey = (e: KeyboardEvent<HTMLDivElement>, index: number, row: T) => {
    // Keys in a link or button of the row are theirs.
    if (e.target !== e.currentTarget) {
      if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
    }
    const moves: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + screen(),
      PageUp: index - screen(),
      Home: 0,
      End: count - 1,
    };
    const to = moves[e.key];
    if (to !== undefined) {
      e.preventDefault();
      go(to);
    } else if (e.key === 'Enter' && onOpen) {
      e.preventDefault();
      onOpen(row);
    } else if (e.key === ' ' && batch) {
      e.preventDefault();
      selection.toggle(idOf(row), e.shiftKey);
    } else if (e.key === 'Escape' && selection.ids.size > 0) {
      selection.clear();
    }
  };

  const onClick = (e: MouseEvent<HTMLDivElement>, row: T) => {
    const target = e.target as HTMLElement;
    // Not after text was marked, and not on things that have clicks of their own.
    if (target.closest('a, button, input, label, [role="menu"], [role="dialog"]')) return;
    if (window.getSelection()?.toString()) return;
    onOpen?.(row);
  };

  return (
    <div className="table" style={height ? { height } : undefined} data-fill={height ? undefined : ''}>
      <TableBar
        id={id}
        rows={rows}
        columns={columns}
        chosen={chosen}
        selected={selection.chosen.length}
        full={selection.full}
        most={props.maxSelected ?? 100}
        onClear={selection.clear}
        batch={batch && selection.chosen.length > 0 ? batch(selection.chosen, selection.clear) : null}
        tools={props.tools}
        onExport={props.onExport}
      />
      <div
        ref={box}
        className="table-box"
        role="region"
        aria-label={label}
        tabIndex={count === 0 ? 0 : -1}
      >
        <div
          className="table-inner"
          role="grid"
          aria-label={label}
          aria-rowcount={rows.totalIsCapped || rows.hasMore ? -1 : count + 1}
          aria-multiselectable={batch ? true : undefined}
          aria-busy={rows.loading}
          style={{ minWidth: least }}
        >
          <div role="rowgroup" className="table-head">
            <div role="row" aria-rowindex={1} className="table-row" style={{ gridTemplateColumns: template }}>
              {batch && (
                <div role="columnheader" className="table-cell table-check">
                  <Checkbox
                    aria-label={t('table.selectAll')}
                    checked={count > 0 && selection.ids.size >= Math.min(count, props.maxSelected ?? 100)}
                    indeterminate={selection.ids.size > 0 && selection.ids.size < count}
                    disabled={count === 0}
                    onChange={(e) => selection.all(e.target.checked)}
                  />
                </div>
              )}
              {chosen.shown.map((c) => (
                <div key={c.id} role="columnheader" className={c.align ? 'table-cell table-right' : 'table-cell'}>
                  {c.title}
                </div>
              ))}
            </div>
          </div>
          <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const row = rows.rows[item.index];
              if (row === undefined) return null;
              const on = selection.ids.has(idOf(row));
              return (
                <div
                  key={item.key}
                  role="row"
                  data-index={item.index}
                  aria-rowindex={item.index + 2}
                  aria-selected={batch ? on : undefined}
                  className={`table-row table-data${on ? ' table-on' : ''}${onOpen ? ' table-opens' : ''} ${props.rowClass?.(row) ?? ''}`}
                  style={{ gridTemplateColumns: template, height: rowHeight, transform: `translateY(${item.start}px)` }}
                  tabIndex={item.index === active ? 0 : -1}
                  onFocus={() => setActive(item.index)}
                  onKeyDown={(e) => onKey(e, item.index, row)}
                  onClick={(e) => onClick(e, row)}
                >
                  {batch && (
                    <div role="gridcell" className="table-cell table-check">
                      <Checkbox
                        aria-label={t('table.select')}
                        tabIndex={-1}
                        checked={on}
                        onClick={(e) => selection.toggle(idOf(row), e.shiftKey)}
                      />
                    </div>
                  )}
                  {chosen.shown.map((c) => (
                    <div key={c.id} role="gridcell" className={c.align ? 'table-cell table-right' : 'table-cell'}>
                      {c.render(row)}
                    </div>
                  ))}
                </div>
              );
            })}
          </div>
        </div>
        <Below {...props} count={count} />
      </div>
    </div>
  );
}

/** What stands there while there are no rows, or below them. */
function Below<T>({ rows, count, filtered, onClearFilters, empty }: Props<T> & { count: number }) {
  const { t } = useTranslation('parts');
  if (count === 0) {
    if (rows.error) return <Failure error={rows.error} retry={rows.reload} />;
    if (rows.loading) return <Loading />;
    if (empty && !filtered) return <div className="state">{empty}</div>;
    return <Empty filtered={filtered} onClear={onClearFilters} />;
  }
  if (rows.error) {
    return (
      <p className="table-below" role="alert">
        {rows.error.message} <button type="button" className="link" onClick={rows.reload}>{t('retry')}</button>
      </p>
    );
  }
  if (rows.loadingMore) return <p className="table-below" role="status">{t('table.more')}</p>;
  return null;
}
