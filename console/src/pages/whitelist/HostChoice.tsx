// SPDX-License-Identifier: Apache-2.0
/** Chooses one server of a project by a part of its name. */
import { Select } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { safeText } from '@/parts/FileName';

interface Props {
  project: string;
  value: string;
  /** Named without asking. */
  known?: { id: string; name: string };
  onChange: (id: string) => void;
}

export function HostChoice({ project, value, known, onChange }: Props) {
  const { t } = useTranslation('whitelist');
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setAsked(typed.trim()), 300);
    return () => clearTimeout(timer);
  }, [typed]);
  const found = useGet('/api/v1/hosts', { query: { project, limit: 50, ...(asked ? { text: asked } : {}) } });
  const options = (found.data?.items ?? []).map((h) => ({ value: h.id, label: safeText(h.name) }));
  if (known && value === known.id && !options.some((o) => o.value === known.id)) {
    options.unshift({ value: known.id, label: safeText(known.name) });
  }
  return (
    <Select
      className="rule-scope"
      aria-label={t('form.host')}
      placeholder={t('form.host')}
      showSearch={{ filterOption: false, onSearch: setTyped }}
      loading={found.isFetching}
      value={value || undefined}
      options={options}
      onChange={onChange}
    />
  );
}
