// SPDX-License-Identifier: Apache-2.0
/** Chains of alarms become one tree, whatever a host says. */
import { describe, expect, it } from 'vitest';
import { sensorsOf } from './sensors';
import { sorted } from './sorted';
import { treeOf, type AlarmOf, type Node, type ProcessFacts } from './processTree';

const proc = (pid: number, started = '2026-01-01T00:00:00Z'): ProcessFacts => ({
  pid, ppid: 0, uid: 0, euid: 0, gid: 0, exe: `/p${pid}`, cmdline: [], started_at: started,
});
const alarm = (id: string, ...pids: ProcessFacts[]): AlarmOf => ({ id, title: id, severity: 'high', last: '2026-01-01T00:00:00Z', chain: pids });
const drawn = (nodes: Node[]): string =>
  nodes.map((n) => `${n.facts.pid}${n.alarms.map((a) => a.id).join('')}${n.children.length ? `(${drawn(n.children)})` : ''}`).join(' ');

describe('processes of alarms', () => {
  it('share their ancestors', () => {
    expect(drawn(treeOf([alarm('a', proc(9), proc(3), proc(1)), alarm('b', proc(8), proc(3), proc(1)), alarm('c', proc(3), proc(1))]))).toBe('1(3c(9a 8b))');
  });

  it('are others when a pid is used again', () => {
    expect(drawn(treeOf([alarm('a', proc(9), proc(1)), alarm('b', proc(9, '2026-02-01T00:00:00Z'), proc(1))]))).toBe('1(9a 9b)');
  });

  it('make no ring', () => {
    expect(drawn(treeOf([alarm('a', proc(1), proc(2), proc(1)), alarm('b', proc(2), proc(1))]))).toBe('2b(1a)');
    expect(treeOf([alarm('a')])).toEqual([]);
  });
});

describe('sensors', () => {
  it('stand beside what is in force', () => {
    expect(sensorsOf('exec+open+write', 'exec+write').filter((s) => !s.effective).map((s) => s.name)).toEqual(['open']);
    expect(sensorsOf('exec', 'none')).toEqual([{ name: 'exec', configured: true, effective: false }]);
    expect(sensorsOf('', '')).toEqual([]);
  });
});

describe('servers by what they had', () => {
  it('keep their order', () => {
    expect(sorted([{ id: 'a', g: 'x' }, { id: 'b', g: 'y' }, { id: 'c', g: 'x' }], (h) => h.g)).toEqual([['x', ['a', 'c']], ['y', ['b']]]);
  });
});
