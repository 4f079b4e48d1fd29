// SPDX-License-Identifier: Apache-2.0
/** Nothing that a host wrote can become markup: the ways in are not used at all. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { conclude, filesOf, root } from './source.mjs';

const WAYS = [
  [/dangerouslySetInnerHTML/, 'dangerouslySetInnerHTML'],
  [/\b(inner|outer)HTML\b/, 'innerHTML'],
  [/\binsertAdjacentHTML\b/, 'insertAdjacentHTML'],
  [/\bdocument\s*\.\s*write(ln)?\b/, 'document.write'],
  [/\bcreateContextualFragment\b/, 'createContextualFragment'],
  [/\bDOMParser\b/, 'DOMParser'],
  [/\bsrcdoc\b/i, 'srcdoc'],
  [/\beval\s*\(/, 'eval'],
  [/\bnew\s+Function\s*\(/, 'new Function'],
  [/javascript:/i, 'a javascript: address'],
  [/renderMode:\s*['"]html['"]/, "a chart's tooltip as HTML"],
  [/from ['"]react-i18next['"][^;]*\bTrans\b|\bTrans\b[^;]*from ['"]react-i18next['"]/, 'texts with markup (Trans)'],
];

const problems = [];
for (const file of filesOf('src', ['.ts', '.tsx'])) {
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .forEach((line, i) => {
      // What a comment says about it is no use of it.
      const code = line.replace(/^\s*(\/\/|\*|\/\*).*/, '');
      for (const [way, name] of WAYS) if (way.test(code)) problems.push(`${file}:${i + 1}: ${name} is not used in the console`);
    });
}
conclude('no-html', problems, 'no way from text to markup');
