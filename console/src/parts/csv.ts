// SPDX-License-Identifier: Apache-2.0
/** Tables as CSV, for spreadsheets: a name like `=cmd|...` must stay a text there. */
import { safeText } from './FileName';

export type Cell = string | number | boolean | null | undefined;

/** One cell by RFC 4180. What a spreadsheet would take for a formula gets an apostrophe before it. */
export function cellText(value: Cell): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const plain = safeText(value);
  const text = /^\s*[=+\-@|%]/.test(plain) ? `'${plain}` : plain;
  return /[",\r\n;]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [head, ...rows].map((row) => row.map(cellText).join(',')).join('\r\n') + '\r\n';
}

/** Hands a file to the browser's downloads. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** With a byte order mark: spreadsheets read it as UTF-8 then. */
export function saveCsv(name: string, csv: string): void {
  saveFile(name, `\uFEFF${csv}`, 'text/csv;charset=utf-8');
}

/** `alarms-2026-11-26.csv` */
export function fileNameOf(table: string): string {
  return `${table}-${new Date().toISOString().slice(0, 10)}.csv`;
}
