// SPDX-License-Identifier: Apache-2.0
/** Names of hostile hosts: everything that is not seen as it is must be seen as an escape. */
import { describe, expect, it } from 'vitest';
import { afterLastSlash, piecesOf, piecesOfBytes, safeText } from './FileName';
import { cellText, csvOf } from './csv';
import { jsonText } from './JsonView';

const b64 = (...bytes: number[]) => btoa(String.fromCharCode(...bytes));

describe('names as text', () => {
  it('leaves plain names alone, in every script', () => {
    for (const name of ['/tmp/x.sh', '/srv/报告.php', '/home/josé/naïve', '/tmp/файл', '/tmp/🙂']) {
      expect(piecesOf(name)).toEqual([{ text: name, escaped: false }]);
    }
  });

  it('shows what would turn the reading direction', () => {
    expect(safeText('/tmp/gpj\u202Efdp.exe')).toBe('/tmp/gpj\\u{202e}fdp.exe');
    for (const bidi of ['\u200E', '\u200F', '\u061C', '\u2066', '\u2069', '\u202A', '\u202C', '\u202D']) {
      expect(safeText(`a${bidi}b`)).not.toContain(bidi);
    }
  });

  it('shows controls, escape sequences and line breaks', () => {
    expect(safeText('a\nb\tc\rd\u001b[31me\u0000\u007f\u0085')).toBe('a\\nb\\tc\\rd\\e[31me\\x00\\x7f\\x85');
  });

  it('shows what has no width, or looks like a space', () => {
    for (const hidden of ['\u200B', '\u200D', '\uFEFF', '\u2060', '\u00AD', '\u00A0', '\u3000', '\u3164', '\u2028', '\uE000', '\u{E0041}', '\uFE0F']) {
      expect(safeText(`x${hidden}y`)).not.toContain(hidden);
    }
  });

  it('tells an escape from a backslash that was there', () => {
    expect(piecesOf('a\\n\n')).toEqual([
      { text: 'a\\n', escaped: false },
      { text: '\\n', escaped: true },
    ]);
  });

  it('shows half of a surrogate pair', () => {
    expect(safeText('a\uD800b')).toBe('a\\u{d800}b');
  });

  it('keeps markup as text', () => {
    const name = '<img src=x onerror=alert(1)>';
    expect(piecesOf(name)).toEqual([{ text: name, escaped: false }]);
  });
});

describe('folder and name', () => {
  const cut = (path: string) => afterLastSlash(piecesOf(path)).map((part) => part.map((p) => p.text).join(''));

  it('are told apart at the last slash, and lose nothing', () => {
    expect(cut('/var/www/x.php')).toEqual(['/var/www/', 'x.php']);
    expect(cut('x.php')).toEqual(['', 'x.php']);
    expect(cut('/var/www/')).toEqual(['/var/www/', '']);
    expect(cut('/a\n/b\u202Ec')).toEqual(['/a\\n/', 'b\\u{202e}c']);
  });
});

describe('names as bytes', () => {
  const text = (encoded: string) => piecesOfBytes(encoded)?.map((p) => p.text).join('');

  it('reads UTF-8 and escapes other bytes one by one', () => {
    expect(text(b64(0x2f, 0x74, 0xff, 0x2e, 0xe6, 0x8a, 0xa5))).toBe('/t\\xff.报');
  });

  it('does not take overlong forms, surrogates, or a form that is cut off', () => {
    expect(text(b64(0xc0, 0xaf))).toBe('\\xc0\\xaf');
    expect(text(b64(0xed, 0xa0, 0x80))).toBe('\\xed\\xa0\\x80');
    expect(text(b64(0x61, 0xe6, 0x8a))).toBe('a\\xe6\\x8a');
  });

  it('escapes what is UTF-8 and would not be seen', () => {
    expect(text(b64(0xe2, 0x80, 0xae, 0x0a))).toBe('\\u{202e}\\n');
  });

  it('gives nothing for what is not base64', () => {
    expect(piecesOfBytes('%%%')).toBeNull();
  });
});

describe('names in files', () => {
  it('keeps spreadsheets from taking a name for a formula', () => {
    for (const name of ['=1+1', '+1', '-1', '@x', '|calc', ' =1']) expect(cellText(name).replace(/^"/, '')).toMatch(/^'/);
    expect(cellText(-5)).toBe('-5');
  });

  it('quotes by RFC 4180 and keeps one row on one line', () => {
    expect(csvOf(['a', 'b'], [['x,"y"', 'l\nm'], [null, true]])).toBe('a,b\r\n"x,""y""",l\\nm\r\n,true\r\n');
  });

  it('writes JSON that is still JSON, and shows what is hidden', () => {
    const value = { name: 'a\u202Eb\u{E0041}', deep: ['\u0000', 1] };
    const text = jsonText(value);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toContain('\\u202e');
    expect(text).not.toContain('\u202E');
  });
});
