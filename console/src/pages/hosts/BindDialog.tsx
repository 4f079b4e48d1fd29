// SPDX-License-Identifier: Apache-2.0
/** Gives a quota to servers that are looked for here, or takes it from those that have one. */
import { Form, Select } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { safeText } from '@/parts/FileName';
import { useWord } from '@/parts/tags';
import { useAssign } from './assign';
import { useQuotaText, type Quota } from './names';

type Host = Schema<'Host'>;
const MOST = 100;

export function BindDialog({ quota, take, onClose }: { quota: Quota; take: boolean; onClose: () => void }) {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const quotaText = useQuotaText();
  const assign = useAssign();
  const { done } = useFeedback();
  const [text, setText] = useState('');
  const [asked, setAsked] = useState('');
  const [chosen, setChosen] = useState<Map<string, Host>>(new Map());
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 300);
    return () => clearTimeout(timer);
  }, [text]);
  const query = { limit: 200, ...(quota.project === '*' ? {} : { project: quota.project }), ...(asked ? { text: asked } : {}) };
  const found = useGet('/api/v1/hosts', { query });
  const has = (h: Host) => h.edition?.quota === quota.id;
  const hosts = (found.data?.items ?? []).filter((h) => has(h) === take);
  const list = [...chosen.values()];
  const shown = [...list, ...hosts.filter((h) => !chosen.has(h.id))];
  const verb = take ? t('batch.unbind') : t('batch.bind');

  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={take ? t('quota.takeTitle') : t('quota.giveTitle')}
      text={
        <>
          <p>{quotaText(quota)}</p>
          {take ? t('batch.unbindText') : t('batch.bindText')}
        </>
      }
      names={list.map((h) => h.name)}
      verb={verb}
      danger={take}
      ready={list.length > 0 && list.length <= MOST}
      action={async () => {
        const undo = take ? await assign.unbind(list) : await assign.bind(list, quota.id);
        const said = { count: list.length, to: word('edition', quota.edition) };
        done(take ? t('batch.unbindDone', said) : t('batch.bindDone', said), { undo });
      }}
    >
      <Form layout="vertical">
        <Form.Item label={t('hosts.title')} htmlFor="bind-hosts" extra={t('quota.findHint')}>
          <Select
            id="bind-hosts"
            mode="multiple"
            value={list.map((h) => h.id)}
            showSearch={{ filterOption: false, onSearch: setText }}
            loading={found.isFetching}
            maxTagCount={6}
            options={shown.map((h) => ({ value: h.id, label: `${safeText(h.name)} · ${h.addresses[0] ?? ''} · ${word('edition', h.edition?.edition)}` }))}
            notFoundContent={found.isPending ? t('looking') : t('quota.noHosts')}
            onChange={(ids: string[]) =>
              setChosen(new Map(ids.flatMap((id) => {
                const host = shown.find((h) => h.id === id);
                return host ? [[id, host] as const] : [];
              })))
            }
          />
        </Form.Item>
      </Form>
    </ConfirmDialog>
  );
}
