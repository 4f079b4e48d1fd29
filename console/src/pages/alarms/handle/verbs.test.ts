// SPDX-License-Identifier: Apache-2.0
/** Verbs against alarms in every state. */
import { describe, expect, it } from 'vitest';
import { BACK, FORTH, firstVerb, fits, inverseOf, whyUnfit, type AlarmRow } from './verbs';

type Row = Pick<AlarmRow, 'operate_accept_list' | 'handle_status' | 'class'>;
const open: Row = {
  handle_status: 'unhandled',
  class: 'trojan',
  operate_accept_list: ['mark_as_handled', 'ignore', 'add_to_alarm_whitelist', 'isolate_and_kill'],
};
const ignored: Row = { handle_status: 'handled', class: 'trojan', operate_accept_list: ['do_not_ignore'] };
const own: Row = { handle_status: 'unhandled', class: null, operate_accept_list: ['mark_as_handled', 'ignore'] };

describe('the ten verbs', () => {
  it('take each other back', () => {
    expect(new Set([...FORTH, ...BACK]).size).toBe(10);
    for (const verb of [...FORTH, ...BACK]) expect(inverseOf(inverseOf(verb))).toBe(verb);
    expect(inverseOf('isolate_and_kill')).toBe('do_not_isolate_or_kill');
  });

  it('say why they cannot be used', () => {
    expect(whyUnfit(open, 'ignore')).toBeNull();
    expect(whyUnfit(open, 'unhandle')).toBe('unhandled');
    expect(whyUnfit(open, 'add_to_login_whitelist')).toBe('login');
    expect(whyUnfit(ignored, 'isolate_and_kill')).toBe('handled');
    expect(whyUnfit(ignored, 'unhandle')).toBe('other');
    expect(whyUnfit(own, 'isolate_and_kill')).toBe('own');
  });

  it('begin with what all take, and with nothing dangerous unasked', () => {
    expect(firstVerb([open])).toBe('mark_as_handled');
    expect(firstVerb([open], 'isolate_and_kill')).toBe('isolate_and_kill');
    expect(firstVerb([ignored], 'isolate_and_kill')).toBe('do_not_ignore');
    expect(firstVerb([open, ignored])).toBe('mark_as_handled');
    expect(fits(own, firstVerb([own]))).toBe(true);
  });
});
