// SPDX-License-Identifier: Apache-2.0
/** The example names this server, and a project that the key may use. */
import { describe, expect, it } from 'vitest';
import { projectFor, pythonLines } from './python';

describe('the lines of Python', () => {
  it('can be pasted, with the address of the console as the endpoint', () => {
    const lines = pythonLines('https://lazaret.example:7080', '0').split('\n');
    const named = ['BasicCredentials', 'HttpConfig', 'HssClient'];
    for (const name of named) expect(lines.filter((l) => l.startsWith('from ') && l.endsWith(`import ${name}`))).toHaveLength(1);
    expect(lines[3]).toContain('.with_endpoints(["https://lazaret.example:7080"])');
    expect(lines[5]).toContain('BasicCredentials(ak, sk, "0")');
  });

  it('keep within their quotes', () => {
    expect(pythonLines('https://a.example', 'a"b\\c')).toContain('"a\\"b\\\\c"');
  });
});

describe('the project of the example', () => {
  it('is one of the rights that the key was given', () => {
    expect(projectFor([{ role: 'viewer', project: '*' }, { role: 'viewer', project: 'shop' }], ['0'])).toBe('shop');
  });

  it('else is the first that its owner sees', () => {
    expect(projectFor([], ['laboratory', 'shop'])).toBe('laboratory');
    expect(projectFor([{ role: 'viewer', project: '*' }], [])).toBe('0');
  });
});
