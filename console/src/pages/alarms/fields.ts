// SPDX-License-Identifier: Apache-2.0
/** Filters of alarms: the usual ones, and those behind "more". */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueryOf } from '@/api/types';
import { useFilters, type FilterField, type Filters } from '@/parts/filters';
import { useOptions } from '@/parts/tags';
import { CLASSES } from '@/pages/whitelist/rule';

export type AlarmQuery = QueryOf<'/api/v1/alarms'>;

export const SEVERITIES = ['critical', 'high', 'medium', 'low'];
export const RATINGS = ['high', 'medium', 'low'];
const PHASES = ['delivery', 'exploit', 'installation', 'command_and_control', 'actions'];
const TAGS = ['attack_blocked', 'attack_success', 'attack_attempt', 'abnormal_behavior'];
/** Always in sight; the others once they are on, or wanted. */
export const USUAL = ['text', 'severity', 'rating', 'class', 'handle_status', 'host_name', 'period'];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const FORMS: [keyof AlarmQuery, RegExp][] = [
  ['technique', /^T\d{4}(\.\d{3})?$/],
  ['sha256', /^[0-9a-f]{64}$/i],
  ['address', /^[0-9a-f.:]{1,45}$/i],
  ['host', UUID],
  ['group', UUID],
];

/** What is half typed is not asked: the server would refuse it. */
export function wellFormed(query: Partial<AlarmQuery>): Partial<AlarmQuery> {
  const clean = { ...query };
  for (const [name, form] of FORMS) {
    const value = clean[name];
    if (typeof value === 'string' && !form.test(value)) delete clean[name];
  }
  return clean;
}

export function useAlarmFilters(): Filters<AlarmQuery> {
  const { t } = useTranslation('alarms');
  const options = useOptions();
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'text', kind: 'search', label: t('filter.text') },
      { name: 'severity', kind: 'many', label: t('filter.severity'), options: options('severity', SEVERITIES) },
      { name: 'rating', kind: 'many', label: t('filter.rating'), options: options('rating', RATINGS) },
      { name: 'class', kind: 'many', label: t('filter.class'), options: options('class', CLASSES) },
      { name: 'handle_status', kind: 'one', label: t('filter.status'), options: options('handleStatus', ['unhandled', 'handled']) },
      { name: 'host_name', kind: 'text', label: t('filter.host') },
      { name: 'period', kind: 'period', label: t('filter.period'), days: true },
      { name: 'auto_block', kind: 'flag', label: t('filter.auto') },
      { name: 'importance', kind: 'one', label: t('filter.importance'), options: options('importance', ['important', 'common', 'test']) },
      { name: 'attack_tag', kind: 'one', label: t('filter.attackTag'), options: options('attackTag', TAGS) },
      { name: 'attack_phase', kind: 'one', label: t('filter.attackPhase'), options: options('attackPhase', PHASES) },
      { name: 'technique', kind: 'text', label: t('filter.technique') },
      { name: 'container', kind: 'text', label: t('filter.container') },
      { name: 'address', kind: 'text', label: t('filter.address') },
      { name: 'sha256', kind: 'text', label: 'SHA-256' },
      { name: 'test', kind: 'flag', label: t('filter.test') },
      { name: 'host', kind: 'text', label: t('filter.hostId') },
      { name: 'group', kind: 'text', label: t('filter.group') },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<AlarmQuery>(fields);
  const query = useMemo(() => wellFormed(filters.query), [filters.query]);
  return { ...filters, query };
}

/** The bar with the usual fields, those that are on, and all when wanted. */
export function shownFilters(filters: Filters<AlarmQuery>, all: boolean): Filters<AlarmQuery> {
  return all ? filters : { ...filters, fields: filters.fields.filter((f) => USUAL.includes(f.name) || filters.values[f.name] !== undefined) };
}
