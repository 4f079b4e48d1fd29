// SPDX-License-Identifier: Apache-2.0
/** The fleet's recovery key: whom hosts seal isolated files for besides themselves. Of all projects. */
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { useMe } from '@/app/session';
import { allows } from '@/app/permissions';
import { Shown } from '@/app/states';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { CopyButton } from '@/parts/CopyButton';
import { Panel } from '@/parts/Page';

export function RecoveryKeyPanel() {
  const { t } = useTranslation('security');
  const { done } = useFeedback();
  const me = useMe();
  const found = useGet('/api/v1/recovery-key');
  const set = useSend('put', '/api/v1/recovery-key');
  const [wanted, setWanted] = useState<string | null | undefined>(undefined);
  const [editing, setEditing] = useState(false);
  const may = allows(me.grants, 'administer_all');

  const write = async (recipient: string | null, before: string | null) => {
    await set.mutateAsync({ body: { recipient } });
    done(t(recipient ? 'recovery.set' : 'recovery.removed'), { undo: () => write(before, recipient) });
    setEditing(false);
  };
  return (
    <Panel title={t('recovery.title')}>
      <p>{t('recovery.text')}</p>
      <Shown of={found}>
        {({ recipient }) => (
          <>
            {recipient ? <p><code className="secret">{recipient}</code> <CopyButton text={recipient} /></p> : <p className="quiet">{t('recovery.none')}</p>}
            {may && !editing && (
              <div className="form-actions">
                <Button onClick={() => setEditing(true)}>{t(recipient ? 'recovery.change' : 'recovery.begin')}</Button>
                {recipient && <Button danger onClick={() => setWanted(null)}>{t('recovery.remove')}</Button>}
              </div>
            )}
            {may && editing && (
              <Form<{ recipient: string }> layout="vertical" requiredMark={false} className="recovery-form" onFinish={(f) => setWanted(f.recipient.trim())}>
                <Form.Item name="recipient" label={t('recovery.recipient')} extra={t('recovery.hint')} rules={[{ pattern: /^\s*age1[0-9a-z]{58}\s*$/, message: t('recovery.wrong') }, { required: true, message: t('recovery.wrong') }]}>
                  <Input spellCheck={false} maxLength={128} className="mono" placeholder="age1..." />
                </Form.Item>
                <div className="form-actions">
                  <Button type="primary" htmlType="submit">{t('recovery.put')}</Button>
                  <Button onClick={() => setEditing(false)}>{t('recovery.keep')}</Button>
                </div>
              </Form>
            )}
            <ConfirmDialog
              open={wanted !== undefined}
              onClose={() => setWanted(undefined)}
              title={t(wanted ? 'recovery.setTitle' : 'recovery.removeTitle')}
              text={t(wanted ? 'recovery.setText' : 'recovery.removeText')}
              names={[wanted ?? recipient ?? '']}
              verb={t(wanted ? 'recovery.put' : 'recovery.remove')}
              danger
              action={() => write(wanted ?? null, recipient ?? null)}
            />
          </>
        )}
      </Shown>
    </Panel>
  );
}
