// SPDX-License-Identifier: Apache-2.0
/**
 * Sizes after gzip, of what `npm run build` made. The entry with all that it fetches at once stays under
 * 300 KiB; what a page adds to it under 200 KiB; the charts are in a chunk of their own and on top of that.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { conclude, root } from './source.mjs';

const ENTRY = 300 * 1024;
const PAGE = 200 * 1024;

const manifest = JSON.parse(readFileSync(join(root, 'dist/.vite/manifest.json'), 'utf8'));
const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(join(root, 'dist', file)), { level: 9 }).length);
  return sizes.get(file);
};

/** Files of a chunk with all that it cannot do without. */
function filesOf(key, seen = new Set(), files = new Set()) {
  if (seen.has(key)) return files;
  seen.add(key);
  const chunk = manifest[key];
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const one of chunk.imports ?? []) filesOf(one, seen, files);
  return files;
}
const sum = (files) => [...files].reduce((total, f) => total + size(f), 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

const problems = [];
const entryKey = Object.keys(manifest).find((k) => manifest[k].isEntry);
const entry = filesOf(entryKey);
if (sum(entry) > ENTRY) problems.push(`the entry is ${kib(sum(entry))}, more than ${kib(ENTRY)}`);

const isChart = (f) => /\/charts-/.test(f);
if ([...entry].some(isChart)) problems.push('the entry fetches the charts');
const pages = Object.keys(manifest).filter((k) => manifest[k].isDynamicEntry && k.startsWith('src/pages/'));
const lines = [];
for (const key of pages) {
  const own = [...filesOf(key)].filter((f) => !entry.has(f));
  const bytes = sum(own.filter((f) => !isChart(f)));
  lines.push([bytes, key]);
  if (bytes > PAGE) problems.push(`${key} is ${kib(bytes)}, more than ${kib(PAGE)}`);
  if (own.some(isChart)) problems.push(`${key} fetches the charts at once: show them with <Chart>`);
}
if (process.argv.includes('--all')) for (const [bytes, key] of lines.sort((a, b) => b[0] - a[0])) console.log(`${kib(bytes).padStart(10)} ${key}`);
const largest = lines.sort((a, b) => b[0] - a[0])[0];
conclude('size', problems, `entry ${kib(sum(entry))}; largest of ${pages.length} pages ${kib(largest?.[0] ?? 0)} (${largest?.[1] ?? 'none'})`);
