// SPDX-License-Identifier: Apache-2.0
/**
 * Texts: the same keys and the same placeholders in both languages; every key that code names is there, and
 * every key that is there is named. Keys that code puts together (`t(`theme.${x}`)`) count by their beginning.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { conclude, filesOf, root } from './source.mjs';

const problems = [];
const LANGUAGES = ['en', 'zh'];
/** Keys put together from words of the API, by way of useWord(). */
const BY_WORD = new Set(['words']);

function flat(of, before = '') {
  return Object.entries(of).flatMap(([k, v]) => (typeof v === 'string' ? [[before + k, v]] : flat(v, `${before}${k}.`)));
}
const holes = (text) => [...text.matchAll(/{{\s*(\w+)\s*}}/g)].map((m) => m[1]).sort().join();

/** namespace -> key -> text, per language. */
const texts = {};
for (const language of LANGUAGES) {
  texts[language] = {};
  for (const file of readdirSync(join(root, 'src/i18n', language))) {
    const path = join(root, 'src/i18n', language, file);
    texts[language][file.replace(/\.json$/, '')] = new Map(flat(JSON.parse(readFileSync(path, 'utf8'))));
  }
}
for (const [a, b] of [LANGUAGES, [...LANGUAGES].reverse()]) {
  for (const [ns, keys] of Object.entries(texts[a])) {
    for (const [key, text] of keys) {
      const other = texts[b][ns]?.get(key);
      if (other === undefined) problems.push(`${ns}: "${key}" is in ${a}, not in ${b}`);
      else if (a === 'en' && holes(text) !== holes(other)) problems.push(`${ns}: "${key}" has other {{placeholders}} in zh`);
      if (text.trim() === '') problems.push(`${ns}: "${key}" is empty in ${a}`);
    }
  }
}

/** What code names: whole keys and beginnings, by namespace where that is known. */
const named = new Set();
const begun = new Set();
const PLURAL = /_(one|other|zero|two|few|many)$/;

for (const file of filesOf('src', ['.ts', '.tsx'])) {
  if (/\.test\.tsx?$/.test(file)) continue;
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true, ts.ScriptKind.TSX);
  /** Name of a translating function -> namespace. */
  const functions = new Map();
  const spaces = new Set();
  const visit = (node, look) => {
    look(node);
    ts.forEachChild(node, (child) => visit(child, look));
  };
  visit(source, (node) => {
    if (!ts.isVariableDeclaration(node) || !node.initializer || !ts.isCallExpression(node.initializer)) return;
    const call = node.initializer;
    const [arg] = call.arguments;
    if (call.expression.getText() !== 'useTranslation' || !arg || !ts.isStringLiteral(arg)) return;
    spaces.add(arg.text);
    if (!ts.isObjectBindingPattern(node.name)) return;
    for (const one of node.name.elements) {
      if ((one.propertyName ?? one.name).getText() === 't') functions.set(one.name.getText(), arg.text);
    }
  });
  const keysOf = (arg) => {
    if (ts.isStringLiteralLike(arg)) return [arg.text];
    if (ts.isConditionalExpression(arg)) return [...keysOf(arg.whenTrue), ...keysOf(arg.whenFalse)];
    if (ts.isParenthesizedExpression(arg)) return keysOf(arg.expression);
    return [];
  };
  visit(source, (node) => {
    if (ts.isStringLiteralLike(node)) named.add(node.text);
    if (ts.isTemplateExpression(node) && node.head.text !== '') begun.add(node.head.text);
    if (!ts.isCallExpression(node) || !functions.has(node.expression.getText())) return;
    const ns = functions.get(node.expression.getText());
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    for (const key of node.arguments[0] ? keysOf(node.arguments[0]) : []) {
      const keys = texts.en[ns];
      if (!keys) problems.push(`${file}:${line + 1}: there is no src/i18n/en/${ns}.json`);
      else if (!keys.has(key) && !keys.has(`${key}_other`)) problems.push(`${file}:${line + 1}: ${ns} has no "${key}"`);
    }
  });
}

for (const [ns, keys] of Object.entries(texts.en)) {
  if (BY_WORD.has(ns)) continue;
  for (const key of keys.keys()) {
    const plain = key.replace(PLURAL, '');
    const used = named.has(key) || named.has(plain) || [...begun].some((b) => b.endsWith('.') && plain.startsWith(b));
    if (!used) problems.push(`${ns}: nothing uses "${key}"`);
  }
}
const count = Object.values(texts.en).reduce((sum, keys) => sum + keys.size, 0);
conclude('i18n', problems, `${count} texts in ${LANGUAGES.join(' and ')}`);
