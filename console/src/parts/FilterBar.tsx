// SPDX-License-Identifier: Apache-2.0
/** The line of filters above a list, with views that can be saved. */
import { Button, Input, Select } from 'antd';
import { useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FilterField, Filters } from './filters';
import { SavedViews } from './SavedViews';

interface Props {
  /** Names the saved views; one per list. */
  id: string;
  of: Filters;
}

export function FilterBar({ id, of }: Props) {
  const { t } = useTranslation('parts');
  return (
    <div className="filters" role="search" aria-label={t('filter.label')}>
      {of.fields.map((field) => (
        <Field key={field.name} field={field} of={of} />
      ))}
      {of.active > 0 && (
        <Button type="link" onClick={of.clear}>
          {t('filter.clear')}
        </Button>
      )}
      <SavedViews list={id} of={of} />
    </div>
  );
}

function Field({ field, of }: { field: FilterField; of: Filters }) {
  const { t } = useTranslation('parts');
  const value = of.values[field.name];
  switch (field.kind) {
    case 'search':
    case 'text':
      return (
        <TextField
          label={field.label}
          value={value ?? ''}
          search={field.kind === 'search'}
          onChange={(v) => of.set({ [field.name]: v || undefined })}
        />
      );
    case 'many':
      return (
        <Select
          mode="multiple"
          className="filter-many"
          placeholder={field.label}
          aria-label={field.label}
          value={value ? value.split(',') : []}
          options={field.options}
          optionFilterProp="label"
          maxTagCount="responsive"
          onChange={(v: string[]) => of.set({ [field.name]: v.join(',') || undefined })}
        />
      );
    case 'one':
      return (
        <Select
          className="filter-one"
          placeholder={field.label}
          aria-label={field.label}
          value={value}
          options={field.options}
          allowClear
          popupMatchSelectWidth={false}
          onChange={(v: string | undefined) => of.set({ [field.name]: v })}
        />
      );
    case 'flag':
      return (
        <Select
          className="filter-one"
          placeholder={field.label}
          aria-label={field.label}
          value={value}
          options={[
            { value: 'true', label: t('filter.yes', { name: field.label }) },
            { value: 'false', label: t('filter.no', { name: field.label }) },
          ]}
          allowClear
          popupMatchSelectWidth={false}
          onChange={(v: string | undefined) => of.set({ [field.name]: v })}
        />
      );
    default:
      return <Period label={field.label} of={of} />;
  }
}

/** Asks a moment after the last letter. */
function TextField({ label, value, search, onChange }: { label: string; value: string; search: boolean; onChange: (v: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const told = useRef(value);
  useEffect(() => {
    // The URL changed by other means: "back", a saved view, "clear".
    if (value !== told.current) {
      told.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const tell = (v: string) => {
    clearTimeout(timer.current);
    told.current = v.trim();
    onChange(v.trim());
  };
  return (
    <Input
      className={search ? 'filter-search' : 'filter-text'}
      placeholder={label}
      aria-label={label}
      data-key={search ? 'search' : undefined}
      value={text}
      allowClear
      maxLength={200}
      onChange={(e) => {
        const v = e.target.value;
        setText(v);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => tell(v), 350);
      }}
      onPressEnter={() => tell(text)}
    />
  );
}

const DAYS = ['1', '7', '30', '90'];

/** The browser's own fields of date and time: every keyboard knows them. */
function Period({ label, of }: { label: string; of: Filters }) {
  const { t } = useTranslation('parts');
  const { last_days: days, since, until } = of.values;
  const [own, setOwn] = useState(Boolean(since ?? until));
  const from = useId();
  const shown = since || until || own ? 'own' : days;
  const options = [
    ...[...new Set([...DAYS, ...(days ? [days] : [])])].map((d) => ({ value: d, label: t('filter.days', { count: Number(d) }) })),
    { value: 'own', label: t('filter.own') },
  ];
  const change = (v: string | undefined) => {
    setOwn(v === 'own');
    of.set({ last_days: v === 'own' ? undefined : v, since: undefined, until: undefined });
  };
  return (
    <span className="filter-period">
      <Select
        className="filter-one"
        placeholder={label}
        aria-label={label}
        value={shown}
        options={options}
        allowClear
        popupMatchSelectWidth={false}
        onChange={change}
      />
      {shown === 'own' && (
        <>
          <input
            id={from}
            type="datetime-local"
            className="native"
            aria-label={t('filter.from')}
            value={toLocal(since)}
            onChange={(e) => of.set({ since: fromLocal(e.target.value), last_days: undefined })}
          />
          <input
            type="datetime-local"
            className="native"
            aria-label={t('filter.until')}
            value={toLocal(until)}
            onChange={(e) => of.set({ until: fromLocal(e.target.value), last_days: undefined })}
          />
        </>
      )}
    </span>
  );
}

function toLocal(at: string | undefined): string {
  if (!at) return '';
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function fromLocal(text: string): string | undefined {
  const date = new Date(text);
  return text && !Number.isNaN(date.getTime()) ? date.toISOString() : undefined;
}
