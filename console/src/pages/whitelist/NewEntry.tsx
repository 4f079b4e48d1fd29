// SPDX-License-Identifier: Apache-2.0
/** A new entry that is made from no alarm. */
import { Alert, Button, Modal, Select } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useProject } from '@/app/project';
import { useAttempt } from '@/parts/attempt';
import { useFeedback } from '@/parts/feedback';
import { HostText, safeText } from '@/parts/FileName';
import { RestoreOffer } from './RestoreOffer';
import { RuleFields, Line } from './RuleFields';
import { bodyOf, emptyRule, wrongOf } from './rule';

export function NewEntry({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('whitelist');
  const can = useCan();
  const id = useId();
  const { project } = useProject();
  const { done } = useFeedback();
  const projects = useGet('/api/v1/projects');
  const mine = (projects.data?.items ?? []).filter((p) => can('administer', p.id));
  const [rule, setRule] = useState(() => emptyRule(project ?? ''));
  const { busy, error, attempt } = useAttempt();
  const [offered, setOffered] = useState<Schema<'Added'> | null>(null);
  const add = useSend('post', '/api/v1/whitelist', { changes: ['/api/v1/whitelist'] });
  const drop = useSend('delete', '/api/v1/whitelist/{id}', { changes: ['/api/v1/whitelist', '/api/v1/alarms'] });
  const inProject = rule.project || mine[0]?.id || '';
  const whole = { ...rule, project: inProject };

  const run = () =>
    attempt(async () => {
      const added = await add.mutateAsync({ body: bodyOf(whole) });
      done(t('add.done'), {
        undo: () => drop.mutateAsync({ path: { id: added.entry.id }, query: { restore_alarm: true } }),
      });
      if (added.isolated.length > 0) setOffered(added);
      else onClose();
    });
  if (offered) return <RestoreOffer added={offered} onClose={onClose} />;
  return (
    <Modal
      open
      width={680}
      title={t('add.title')}
      mask={{ closable: false }}
      onCancel={busy ? undefined : onClose}
      footer={[
        <Button key="no" disabled={busy} onClick={onClose}>
          {t('add.cancel')}
        </Button>,
        <Button key="yes" type="primary" loading={busy} disabled={inProject === '' || wrongOf(whole) !== null} onClick={() => void run()}>
          {t('add.verb')}
        </Button>,
      ]}
    >
      <p className="quiet">{t('add.text')}</p>
      <div className="form">
        <Line label={t('column.project')} id={`${id}p`}>
          <Select
            id={`${id}p`}
            className="rule-scope"
            value={inProject || undefined}
            options={mine.map((p) => ({ value: p.id, label: safeText(p.name) }))}
            onChange={(value: string) => setRule({ ...rule, project: value, scope: 'project', scopeId: '' })}
          />
        </Line>
      </div>
      <RuleFields rule={whole} onChange={setRule} />
      {error && <Alert type="error" showIcon role="alert" title={<HostText text={error} />} />}
    </Modal>
  );
}
