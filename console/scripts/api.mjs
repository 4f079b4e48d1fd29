// SPDX-License-Identifier: Apache-2.0
/** Types from docs/openapi.json: `--write` writes src/api/schema.d.ts; without it says whether that is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const from = new URL('../../docs/openapi.json', import.meta.url);
const to = new URL('../src/api/schema.d.ts', import.meta.url);

const ast = await openapiTS(from, { alphabetize: true });
const text = `// SPDX-License-Identifier: Apache-2.0
// Types of the server's API. Generated from docs/openapi.json by \`npm run api\`: do not edit.

${astToString(ast)}`;

if (process.argv.includes('--write')) {
  writeFileSync(to, text);
  console.log(`wrote ${fileURLToPath(to)}`);
} else {
  let there = '';
  try {
    there = readFileSync(to, 'utf8');
  } catch {
    // Said below.
  }
  if (there !== text) {
    console.error('src/api/schema.d.ts is not what docs/openapi.json describes: run `npm run api`');
    process.exit(1);
  }
  console.log('api: types are up to date');
}
