// SPDX-License-Identifier: Apache-2.0
/** Rules while they are written: what is refused, what is sent, what they fit. */
import { describe, expect, it } from 'vitest';
import type { Schema } from '@/api/types';
import { bodyOf, emptyRule, matches, ruleOf, wrongOf, type Rule } from './rule';

const HASH = 'ab'.repeat(32);
const alarm = {
  id: 'a1',
  project: '0',
  class: 'miner',
  sha256: HASH,
  path: '/srv/app/job.sh',
  cmdline: '/bin/sh /srv/app/job.sh',
  host: { id: 'h1', name: 'web', group: 'g1', importance: 'common', status: 'online' },
} as Schema<'AlarmItem'>;
const rule = (change: Partial<Rule>): Rule => ({ ...emptyRule('0'), description: 'ours', ...change });

describe('a rule', () => {
  it('begins as narrow as it can', () => {
    expect(ruleOf(alarm)).toMatchObject({ field: 'hash', judge: 'equal', value: HASH, alarm: 'a1', project: '0' });
    expect(ruleOf({ ...alarm, sha256: null })).toMatchObject({ field: 'file_path', value: '/srv/app/job.sh' });
  });

  it('is refused here where hosts would refuse it', () => {
    expect(wrongOf(rule({ value: '' }))).toBe('value');
    expect(wrongOf(rule({ value: 'abc' }))).toBe('hash');
    expect(wrongOf(rule({ value: HASH, description: ' ' }))).toBe('description');
    expect(wrongOf(rule({ field: 'file_path', anyContent: true, value: 'job.sh' }))).toBe('path');
    expect(wrongOf(rule({ field: 'file_path', judge: 'contain', value: 'jo', anyContent: true }))).toBe('short');
    expect(wrongOf(rule({ field: 'file_path', judge: 'contain', value: '/x'.repeat(3000) }))).toBe('long');
    expect(wrongOf(rule({ field: 'file_path', judge: 'not_equal', value: '/x', anyContent: true }))).toBe('class');
    expect(wrongOf(rule({ field: 'file_path', value: '/x' }))).toBe('sha256');
    expect(wrongOf(rule({ value: HASH, scope: 'host' }))).toBe('scope');
    expect(wrongOf(rule({ value: HASH, expires: '2020-01-01T00:00' }))).toBe('expires');
    expect(wrongOf(rule({ value: HASH }))).toBeNull();
  });

  it('is sent with the bytes that are meant, and bound to a content or not', () => {
    expect(bodyOf(rule({ field: 'file_path', value: '/x\uFFFD', bytes: 'L3j/', sha256: HASH }))).toMatchObject({
      value_b64: 'L3j/',
      sha256: HASH,
      any_content: false,
    });
    const loose = bodyOf(rule({ field: 'file_path', judge: 'contain', value: '/srv/', anyContent: true }));
    expect(loose).toMatchObject({ value: '/srv/', any_content: true });
    expect(loose).not.toHaveProperty('sha256');
    expect(bodyOf(rule({ value: HASH.toUpperCase() }))).toMatchObject({ value: HASH, any_content: false });
  });

  it('fits alarms as hosts would have it', () => {
    expect(matches(rule({ value: HASH }), alarm)).toBe(true);
    expect(matches(rule({ value: HASH, class: 'worm' }), alarm)).toBe(false);
    expect(matches(rule({ value: HASH, scope: 'host', scopeId: 'h2' }), alarm)).toBe(false);
    expect(matches(rule({ value: HASH, scope: 'group', scopeId: 'g1' }), alarm)).toBe(true);
    const path = { field: 'file_path', value: '/srv/app/job.sh', anyContent: true } as const;
    expect(matches(rule(path), alarm)).toBe(true);
    expect(matches(rule({ ...path, anyContent: false, sha256: 'cd'.repeat(32) }), alarm)).toBe(false);
    expect(matches(rule({ ...path, judge: 'not_equal' }), alarm)).toBe(false);
    expect(matches(rule({ ...path, judge: 'contain', value: '/app/' }), alarm)).toBe(true);
    expect(matches(rule({ field: 'process_cmdline', anyContent: true, judge: 'not_contain', value: 'python' }), alarm)).toBe(true);
    expect(matches(rule({ field: 'process_path', anyContent: true, value: '/bin/sh' }), alarm)).toBeNull();
    expect(matches(rule({ value: HASH }), { ...alarm, class: null })).toBe(false);
  });
});
