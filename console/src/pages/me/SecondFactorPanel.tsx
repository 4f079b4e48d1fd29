// SPDX-License-Identifier: Apache-2.0
/** How the own second factor stands: set up, new recovery codes, do without. */
import { Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { isKind } from '@/api/errors';
import { Shown } from '@/app/states';
import { useFeedback } from '@/parts/feedback';
import { Panel } from '@/parts/Page';
import { Tag } from '@/parts/tags';
import { RecoveryCodes } from './RecoveryCodes';
import { SecondFactorSetup } from './SecondFactorSetup';

type Wish = 'renew' | 'remove';

interface Proof {
  password: string;
  code: string;
}

export function SecondFactorPanel() {
  const { t } = useTranslation('me');
  const { done } = useFeedback();
  const found = useGet('/api/v1/me/second-factor');
  const changes = { changes: ['/api/v1/me/second-factor'] };
  const renew = useSend('post', '/api/v1/me/second-factor/recovery-codes', changes);
  const remove = useSend('post', '/api/v1/me/second-factor/remove', changes);
  const [wish, setWish] = useState<Wish | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [setting, setSetting] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const prove = async (body: Proof) => {
    setError(null);
    try {
      if (wish === 'renew') setCodes((await renew.mutateAsync({ body })).recovery_codes);
      else {
        await remove.mutateAsync({ body });
        done(t('factor.removed'));
      }
      setWish(null);
    } catch (e) {
      if (isKind(e, 'wrong-password')) setError(t('password.wrong'));
      else if (isKind(e, 'second-factor')) setError(t('factor.wrongCode'));
      else setError(e instanceof Error ? e.message : String(e));
    }
  };

  const needed = [{ required: true, message: t('needed') }];
  return (
    <Panel title={t('factor.title')}>
      <Shown of={found}>
        {(factor) => {
          if (codes) return <RecoveryCodes codes={codes} onDone={() => setCodes(null)} />;
          if (setting) {
            return (
              <SecondFactorSetup
                onDone={() => {
                  setSetting(false);
                  done(t('factor.enabled'));
                  void found.refetch();
                }}
              />
            );
          }
          return (
            <>
              <p>
                <Tag tone={factor.enabled ? 'good' : 'quiet'}>{t(factor.enabled ? 'factor.on' : 'factor.off')}</Tag>{' '}
                {factor.enabled ? t('factor.left', { count: factor.recovery_codes_left }) : t('factor.why')}{' '}
                {factor.required && t('factor.required')}
              </p>
              <div className="form-actions">
                {!factor.enabled && (
                  <Button type="primary" onClick={() => setSetting(true)}>
                    {t('factor.begin')}
                  </Button>
                )}
                {factor.enabled && <Button onClick={() => setWish('renew')}>{t('factor.renew')}</Button>}
                {factor.enabled && !factor.required && (
                  <Button danger onClick={() => setWish('remove')}>
                    {t('factor.remove')}
                  </Button>
                )}
              </div>
            </>
          );
        }}
      </Shown>
      <Modal
        open={wish !== null}
        title={t(wish === 'remove' ? 'factor.remove' : 'factor.renew')}
        onCancel={() => setWish(null)}
        footer={null}
        destroyOnHidden
      >
        <p>{t(wish === 'remove' ? 'factor.removeText' : 'factor.renewText')}</p>
        <Form<Proof> layout="vertical" requiredMark={false} onFinish={(f) => void prove(f)}>
          {error && <p role="alert" className="error-text">{error}</p>}
          <Form.Item name="password" label={t('factor.password')} rules={needed}>
            <Input.Password autoComplete="current-password" maxLength={256} />
          </Form.Item>
          <Form.Item name="code" label={t('factor.proof')} rules={needed}>
            <Input autoComplete="one-time-code" maxLength={64} spellCheck={false} />
          </Form.Item>
          <Button type="primary" danger={wish === 'remove'} htmlType="submit" loading={renew.isPending || remove.isPending}>
            {t(wish === 'remove' ? 'factor.remove' : 'factor.renew')}
          </Button>
        </Form>
      </Modal>
    </Panel>
  );
}
