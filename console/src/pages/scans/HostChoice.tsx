// SPDX-License-Identifier: Apache-2.0
/** Which servers and groups of a project. */
import { Form, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { safeText } from '@/parts/FileName';

export function HostChoice({ project, chosen }: { project: string; chosen: number }) {
  const { t } = useTranslation('scans');
  const [text, setText] = useState('');
  const found = useGet('/api/v1/hosts', { query: { project, limit: 100, ...(text ? { text } : {}) } });
  const groups = useGet('/api/v1/host-groups', {}, { staleTime: 60_000 });
  const [names, setNames] = useState<Record<string, string>>({});
  const hosts = found.data?.items ?? [];
  const options = hosts.map((h) => ({ value: h.id, label: safeText(h.name) }));
  // What was chosen keeps its name when another search does not find it.
  for (const [id, name] of Object.entries(names)) {
    if (!hosts.some((h) => h.id === id)) options.push({ value: id, label: name });
  }
  return (
    <>
      <Form.Item
        name="hosts"
        label={t('form.hosts')}
        rules={[{ validator: () => (chosen > 0 ? Promise.resolve() : Promise.reject(new Error(t('form.noHosts')))) }]}
      >
        <Select
          mode="multiple"
          options={options}
          showSearch={{ filterOption: false, onSearch: setText }}
          loading={found.isFetching}
          maxTagCount={20}
          onSelect={(id: string) => setNames((n) => ({ ...n, [id]: safeText(hosts.find((h) => h.id === id)?.name ?? id) }))}
        />
      </Form.Item>
      <Form.Item name="groups" label={t('form.groups')}>
        <Select
          mode="multiple"
          optionFilterProp="label"
          options={(groups.data?.items ?? []).filter((g) => g.project === project).map((g) => ({ value: g.id, label: safeText(g.name) }))}
        />
      </Form.Item>
    </>
  );
}
