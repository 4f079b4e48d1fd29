// SPDX-License-Identifier: Apache-2.0
/** The form of a target: what goes in comes out again, and secrets stay where they are. */
import { expect, test } from 'vitest';
import type { Schema } from '@/api/types';
import { fieldsOf, placeOf, secretsOf, settingsOf, type Fields, FRESH } from './form';

const target = (kind: Schema<'TargetKind'>, settings: Schema<'TargetSettings'>) =>
  ({ id: 't', name: 'n', kind, settings, enabled: true, has_password: false, has_token: false }) as unknown as Schema<'Target'>;

test('settings of each kind go into the form and back', () => {
  const filter = { severities: ['high' as const], masked_classes: ['miner'], tests: false, handlings: false };
  const people = { filter: { ...filter, handlings: true }, delivery: { mode: 'daily' as const, hour: 7, zone: 'Europe/Berlin', per_minute: null } };
  const atOnce = { filter, delivery: { mode: 'real_time' as const, hour: null, zone: null, per_minute: 30 } };
  const cases: [Schema<'TargetKind'>, Schema<'TargetSettings'>][] = [
    ['email', { ...people, email: { server: 'mail', port: 25, security: 'none', user: 'u', from: 'a@b', to: ['c@d'], authority: 'PEM' } }],
    ['webhook', { ...atOnce, webhook: { url: 'https://h/x', authority: undefined } }],
    ['http', { filter, http: { url: 'https://h/y', authority: 'PEM' } }],
    ['syslog', { filter, syslog: { server: 's', port: 6514, format: 'cef', facility: 3, authority: undefined } }],
    ['file', { filter, file: { name: 'out', max_megabytes: 5, keep: 2 } }],
  ];
  for (const [kind, settings] of cases) {
    expect(settingsOf(fieldsOf(target(kind, settings)))).toEqual(settings);
    expect(placeOf(settings)).not.toBe('');
  }
});

test('a secret stays unless something is said', () => {
  const f: Fields = { ...FRESH, project: '0' };
  expect(secretsOf(f)).toEqual({});
  expect(secretsOf({ ...f, secret: 'x' })).toEqual({ password: 'x' });
  expect(secretsOf({ ...f, kind: 'http', forget: true })).toEqual({ token: '' });
  expect(secretsOf({ ...f, kind: 'webhook', secret: 'x' })).toEqual({});
});
