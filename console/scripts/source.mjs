// SPDX-License-Identifier: Apache-2.0
/** The console's source files, for the checks. */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Files below a folder with one of these endings, by their path from `console/`. */
export function filesOf(folder, endings) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile() && endings.some((e) => f.name.endsWith(e)))
    .map((f) => relative(root, join(f.parentPath, f.name)))
    .filter((f) => !f.endsWith('schema.d.ts'))
    .sort();
}

/** Prints what is wrong and ends with 1, or says that all is well. */
export function conclude(name, problems, well) {
  if (problems.length > 0) {
    for (const p of problems) console.error(`${name}: ${p}`);
    process.exit(1);
  }
  console.log(`${name}: ${well}`);
}
