// SPDX-License-Identifier: Apache-2.0
/** What can be done with the servers that are chosen: group, importance, quota, a quick scan. */
import { Button, Form, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { safeText } from '@/parts/FileName';
import { useOptions, useWord } from '@/parts/tags';
import { useAssign, type Importance } from './assign';
import { useGroups, useQuotas, useQuotaText } from './names';

type Host = Schema<'Host'>;
type What = 'group' | 'importance' | 'bind' | 'unbind' | 'scan';

const NO_GROUP = 'none';
const ADMINISTER: readonly What[] = ['group', 'importance', 'bind', 'unbind'];

interface Props {
  hosts: Host[];
  clear: () => void;
  size?: 'small' | 'middle';
}

export function HostBatch({ hosts, clear, size = 'small' }: Props) {
  const { t } = useTranslation('hosts');
  const can = useCan();
  const [what, setWhat] = useState<What | null>(null);
  const here = hosts.filter((h) => !h.removed);
  const one = new Set(here.map((h) => h.project)).size === 1;
  const administer = here.length > 0 && here.every((h) => can('administer', h.project));
  const operate = here.length > 0 && here.every((h) => can('operate', h.project));

  const button = (name: What) => {
    const allowed = name === 'scan' ? operate : administer;
    // Groups and quotas belong to a project, and a scan does.
    const several = !one && (name === 'group' || name === 'scan');
    return (
      <Button
        key={name}
        size={size}
        disabled={!allowed || several}
        title={!allowed ? t('notAllowed') : several ? t('oneProject') : undefined}
        onClick={() => setWhat(name)}
      >
        {t(`batch.${name}`)}
      </Button>
    );
  };
  return (
    <>
      {ADMINISTER.map(button)}
      {button('scan')}
      {what && <BatchDialog what={what} hosts={here} onClose={() => setWhat(null)} done={clear} />}
    </>
  );
}

function BatchDialog({ what, hosts, onClose, done: clear }: { what: What; hosts: Host[]; onClose: () => void; done: () => void }) {
  const { t } = useTranslation('hosts');
  const word = useWord();
  const options = useOptions();
  const groups = useGroups();
  const quotas = useQuotas();
  const quotaText = useQuotaText();
  const assign = useAssign();
  const scan = useSend('post', '/api/v1/scan-tasks');
  const { done } = useFeedback();
  const [choice, setChoice] = useState<string>();
  const [project] = hosts.map((h) => h.project);
  const count = hosts.length;

  const choices: Partial<Record<What, { value: string; label: string }[]>> = {
    group: [
      ...groups.items.filter((g) => g.project === project).map((g) => ({ value: g.id, label: safeText(g.name) })),
      { value: NO_GROUP, label: t('noGroup') },
    ],
    importance: options('importance', ['important', 'common', 'test']),
    bind: quotas.items
      .filter((q) => q.project === '*' || hosts.every((h) => h.project === q.project))
      .map((q) => ({ value: q.id, label: quotaText(q) })),
  };
  const field = choices[what];
  const label = field?.find((o) => o.value === choice)?.label ?? '';

  const act = async () => {
    let undo: (() => Promise<void>) | undefined;
    if (what === 'group') undo = await assign.group(hosts, choice === NO_GROUP || !choice ? null : choice);
    else if (what === 'importance') undo = await assign.importance(hosts, choice as Importance);
    else if (what === 'bind') undo = await assign.bind(hosts, choice ?? '');
    else if (what === 'unbind') undo = await assign.unbind(hosts);
    else {
      const name = t('batch.scanName', { count, name: hosts[0]?.name ?? '' }).slice(0, 64);
      const settings = { kind: 'quick' as const, hosts: hosts.map((h) => h.id), spread_minutes: 0 };
      await scan.mutateAsync({ body: { project: project ?? '', name, settings } });
    }
    done(t(`batch.${what}Done`, { count, to: label }), undo && { undo });
    clear();
  };

  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t(`batch.${what}Title`, { count })}
      text={t(`batch.${what}Text`)}
      names={hosts.map((h) => (what === 'unbind' || what === 'bind' ? `${h.name} (${word('edition', h.edition?.edition)})` : h.name))}
      verb={t(`batch.${what}`)}
      danger={what === 'unbind'}
      ready={!field || choice !== undefined}
      action={act}
    >
      {field && (
        <Form layout="vertical">
          <Form.Item label={t(`batch.${what}Field`)} htmlFor="batch-choice">
            <Select
              id="batch-choice"
              value={choice}
              onChange={setChoice}
              options={field}
              placeholder={t('choose')}
              showSearch={{ optionFilterProp: 'label' }}
              notFoundContent={t(`batch.${what}None`)}
            />
          </Form.Item>
        </Form>
      )}
    </ConfirmDialog>
  );
}
