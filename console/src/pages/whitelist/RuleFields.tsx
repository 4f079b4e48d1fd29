// SPDX-License-Identifier: Apache-2.0
/** The fields of a whitelist rule, for a new entry and for the one that is made from an alarm. */
import { Input, Checkbox, Select } from 'antd';
import { useId, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { safeText } from '@/parts/FileName';
import { useOptions } from '@/parts/tags';
import { TextArea } from '@/parts/TextArea';
import { HostChoice } from './HostChoice';
import { RuleCount } from './RuleCount';
import { CLASSES, FIELDS, JUDGES, valueIn, wrongOf, type Exe, type Field, type Rule } from './rule';

interface Props {
  rule: Rule;
  onChange: (rule: Rule) => void;
  /** Made from this alarm: its values stand ready. */
  alarm?: Schema<'AlarmItem'>;
  /** File of the acting process, where it is known. */
  exe?: Exe;
}

export function Line({ label, id, hint, children }: { label: string; id?: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <div className="form-line">
      <label htmlFor={id}>{label}</label>
      <div className="form-field">
        {children}
        {hint && <div className="form-hint">{hint}</div>}
      </div>
    </div>
  );
}

export function RuleFields({ rule, onChange, alarm, exe }: Props) {
  const { t } = useTranslation('whitelist');
  const options = useOptions();
  const id = useId();
  const set = (change: Partial<Rule>) => onChange({ ...rule, ...change });
  const groups = useGet('/api/v1/host-groups', {}, { enabled: rule.scope === 'group' });

  const field = (next: Field) => {
    const known = alarm ? valueIn(alarm, exe, next) : { value: '', bytes: null };
    set({
      field: next,
      ...known,
      judge: next === 'hash' ? 'equal' : rule.judge,
    });
  };
  const wrong = wrongOf(rule);

  return (
    <div className="form">
      <Line label={t('form.match')} id={`${id}f`}>
        <div className="form-row">
          <Select
            id={`${id}f`}
            className="rule-field"
            aria-label={t('form.field')}
            value={rule.field}
            options={options('whitelistField', FIELDS)}
            onChange={field}
          />
          <Select
            className="rule-judge"
            aria-label={t('form.judge')}
            value={rule.judge}
            disabled={rule.field === 'hash'}
            options={options('judge', rule.field === 'hash' ? ['equal'] : JUDGES)}
            onChange={(judge) => set({ judge })}
          />
        </div>
      </Line>
      <Line label={t('form.value')} id={`${id}v`} hint={rule.bytes ? t('form.bytes') : undefined}>
        <TextArea
          id={`${id}v`}
          least={1} most={4}
          className="mono"
          value={rule.bytes ? safeText(rule.value) : rule.value}
          maxLength={4096}
          status={rule.value !== '' && wrong && ['hash', 'path', 'short', 'long'].includes(wrong) ? 'error' : undefined}
          onChange={(e) => set({ value: e.target.value.replace(/[\r\n]/g, ''), bytes: null })}
        />
      </Line>
      {rule.field !== 'hash' && (
        <Line label={t('form.content')} id={`${id}c`} hint={rule.anyContent ? t('form.anyHint') : t('form.boundHint')}>
          <Checkbox
            checked={rule.anyContent}
            onChange={(e) => set({ anyContent: e.target.checked })}
          >
            {t('form.any')}
          </Checkbox>
          {!rule.anyContent && (
            <Input
              id={`${id}c`}
              className="mono"
              placeholder="SHA-256"
              value={rule.sha256}
              maxLength={64}
              status={wrong === 'sha256' ? 'error' : undefined}
              onChange={(e) => set({ sha256: e.target.value.trim() })}
            />
          )}
        </Line>
      )}
      <Line label={t('form.scope')} id={`${id}s`}>
        <div className="form-row">
          <Select
            id={`${id}s`}
            className="rule-judge"
            value={rule.scope}
            options={options('scope', ['project', 'group', 'host'])}
            onChange={(scope) =>
              set({ scope, scopeId: scope === 'host' ? (alarm?.host.id ?? '') : scope === 'group' ? (alarm?.host.group ?? '') : '' })
            }
          />
          {rule.scope === 'group' && (
            <Select
              className="rule-scope"
              aria-label={t('form.group')}
              placeholder={t('form.group')}
              loading={groups.isPending}
              value={rule.scopeId || undefined}
              options={(groups.data?.items ?? [])
                .filter((g) => g.project === rule.project)
                .map((g) => ({ value: g.id, label: safeText(g.name) }))}
              onChange={(scopeId) => set({ scopeId })}
            />
          )}
          {rule.scope === 'host' && (
            <HostChoice project={rule.project} value={rule.scopeId} known={alarm?.host} onChange={(scopeId) => set({ scopeId })} />
          )}
        </div>
      </Line>
      <Line label={t('form.class')} id={`${id}k`} hint={wrong === 'class' ? t('wrong.class') : undefined}>
        <Select
          id={`${id}k`}
          className="rule-scope"
          allowClear
          placeholder={t('form.everyClass')}
          value={rule.class || undefined}
          options={options('class', CLASSES)}
          onChange={(value) => set({ class: value ?? '' })}
        />
      </Line>
      <Line label={t('form.expires')} id={`${id}e`} hint={wrong === 'expires' ? t('wrong.expires') : undefined}>
        <input
          id={`${id}e`}
          type="datetime-local"
          className="native"
          value={rule.expires}
          onChange={(e) => set({ expires: e.target.value })}
        />
      </Line>
      <Line label={t('form.description')} id={`${id}d`}>
        <Input
          id={`${id}d`}
          value={rule.description}
          maxLength={512}
          placeholder={t('form.descriptionHint')}
          onChange={(e) => set({ description: e.target.value })}
        />
      </Line>
      <Line label={t('form.owner')} id={`${id}o`}>
        <Input
          id={`${id}o`}
          value={rule.owner}
          maxLength={64}
          placeholder={t('form.ownerHint')}
          onChange={(e) => set({ owner: e.target.value })}
        />
      </Line>
      {wrong && rule.value !== '' && wrong !== 'description' && (
        <p className="error-text" role="alert">
          {t(`wrong.${wrong}`)}
        </p>
      )}
      <RuleCount rule={rule} />
    </div>
  );
}
