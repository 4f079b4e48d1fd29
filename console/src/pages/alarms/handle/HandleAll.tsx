// SPDX-License-Identifier: Apache-2.0
/** Handle all alarms of a type: says how many they are before it does. */
import { Alert, Select } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useProject } from '@/app/project';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { numberText } from '@/parts/numbers';
import { useOptions, useWord } from '@/parts/tags';
import { TextArea } from '@/parts/TextArea';
import { CLASSES } from '@/pages/whitelist/rule';
import { HANDLING_CHANGES, taskOver } from './useHandle';
import { BACK, FORTH, inverseOf, isDangerous, type Verb } from './verbs';

type Class = Schema<'Class'>;

/** Logins have no alarms of these types. */
const VERBS: readonly Verb[] = [...FORTH, ...BACK].filter((v) => !v.endsWith('_login_whitelist'));

export function HandleAll({ first, onClose }: { first: Class | undefined; onClose: () => void }) {
  const { t, i18n } = useTranslation('alarms');
  const word = useWord();
  const options = useOptions();
  const id = useId();
  const { project, projectQuery } = useProject();
  const { ordered } = useFeedback();
  const [kind, setKind] = useState<Class | undefined>(first);
  const [verb, setVerb] = useState<Verb>('mark_as_handled');
  const [remark, setRemark] = useState('');
  const send = useSend('post', '/api/v1/alarms/handle-all', { changes: HANDLING_CHANGES });
  const batch = useSend('post', '/api/v1/alarms/handle-all', { changes: HANDLING_CHANGES });
  const forth = FORTH.includes(verb);
  const found = useGet(
    '/api/v1/alarms/statistics',
    { query: { ...projectQuery, class: kind ? [kind] : [], handle_status: forth ? 'unhandled' : 'handled' } },
    { enabled: kind !== undefined, staleTime: 0 },
  );
  const count = kind ? found.data?.total : undefined;
  const give = (operate_type: Verb) => ({
    body: { class: kind as Class, operate_type, remark: remark.trim(), ...(project ? { project } : {}) },
  });
  const name = kind ? word('class', kind) : '';

  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t('all.title')}
      text={t('all.text')}
      verb={word('verb', verb)}
      danger={isDangerous(verb)}
      ready={kind !== undefined && count !== undefined && count > 0}
      action={async () => {
        const answer = await send.mutateAsync(give(verb));
        const title = t('all.done', { kind: name, verb: word('verb', verb) });
        const back = inverseOf(verb);
        ordered(answer, title, {
          undoLabel: word('verb', back),
          undo: async () => {
            if (answer.task) await taskOver(answer.task);
            ordered(await batch.mutateAsync(give(back)), t('all.done', { kind: name, verb: word('verb', back) }));
          },
        });
      }}
    >
      <div className="form">
        <div className="form-line">
          <label htmlFor={`${id}k`}>{t('all.kind')}</label>
          <Select id={`${id}k`} className="form-field" value={kind} placeholder={t('all.kind')} options={options('class', CLASSES)} onChange={setKind} />
        </div>
        <div className="form-line">
          <label htmlFor={`${id}v`}>{t('handle.verb')}</label>
          <Select id={`${id}v`} className="form-field" value={verb} options={options('verb', VERBS)} onChange={setVerb} />
        </div>
        <div className="form-line">
          <label htmlFor={`${id}r`}>{t('handle.remark')}</label>
          <TextArea id={`${id}r`} className="form-field" value={remark} maxLength={512} least={2} most={4} onChange={(e) => setRemark(e.target.value)} />
        </div>
        {count !== undefined && (
          <Alert
            type={isDangerous(verb) ? 'warning' : 'info'}
            showIcon
            role="status"
            title={
              forth
                ? t('all.count', { count, number: numberText(count, i18n.language), kind: name })
                : t('all.countBack', { verb: word('verb', inverseOf(verb)), kind: name })
            }
            description={project ? t('all.inProject', { project }) : t('all.everywhere')}
          />
        )}
      </div>
    </ConfirmDialog>
  );
}
