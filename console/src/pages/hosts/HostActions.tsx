// SPDX-License-Identifier: Apache-2.0
/** What can be done with one server: group and the like, enrol anew, revoke, remove. */
import { DownOutlined } from '@ant-design/icons';
import { useNavigate } from '@tanstack/react-router';
import { Button, Dropdown, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { safeText } from '@/parts/FileName';
import type { Full } from './Host';
import { HostBatch } from './HostBatch';
import { InstallCommand } from './InstallCommand';

type What = 'revoke' | 'remove' | 'reEnrol';

export function HostActions({ full }: { full: Full }) {
  const { t } = useTranslation('hosts');
  const can = useCan();
  const navigate = useNavigate();
  const { done } = useFeedback();
  const [what, setWhat] = useState<What | null>(null);
  const [made, setMade] = useState<Schema<'EnrolmentTokenSecret'> | null>(null);
  const path = { id: full.host.id };
  const changes = ['/api/v1/hosts', '/api/v1/quotas', '/api/v1/commands'];
  const revoke = useSend('post', '/api/v1/hosts/{id}/revoke', { changes });
  const remove = useSend('delete', '/api/v1/hosts/{id}', { changes });
  const reEnrol = useSend('post', '/api/v1/hosts/{id}/re-enrol', { changes: ['/api/v1/enrolment-tokens'] });
  const { host } = full;
  const name = safeText(host.name);

  const acts: Record<What, () => Promise<void>> = {
    revoke: async () => {
      await revoke.mutateAsync({ path });
      done(t('host.revokeDone', { name }));
    },
    remove: async () => {
      await remove.mutateAsync({ path });
      done(t('host.removeDone', { name }));
      void navigate({ to: '/hosts' });
    },
    reEnrol: async () => setMade(await reEnrol.mutateAsync({ path })),
  };
  const administer = can('administer', host.project);
  const items = [
    { key: 'reEnrol', label: t('host.reEnrol') },
    { key: 'revoke', label: t('host.revoke'), danger: true, disabled: host.revoked || host.removed },
    { key: 'remove', label: t('host.remove'), danger: true, disabled: host.removed },
  ];
  return (
    <>
      {!host.removed && can('operate', host.project) && <HostBatch hosts={[host]} clear={() => undefined} size="middle" />}
      {administer && (
        <Dropdown trigger={['click']} menu={{ items, onClick: ({ key }) => setWhat(key as What) }}>
          <Button aria-haspopup="menu">
            {t('more')} <DownOutlined aria-hidden />
          </Button>
        </Dropdown>
      )}
      {what && (
        <ConfirmDialog
          open
          onClose={() => setWhat(null)}
          title={t(`host.${what}Title`)}
          text={t(`host.${what}Text`)}
          names={[`${host.name} (${host.addresses[0] ?? host.id})`]}
          verb={t(`host.${what}`)}
          danger={what !== 'reEnrol'}
          action={acts[what]}
        />
      )}
      {made && (
        <Modal open title={t('host.reEnrol')} footer={null} width={720} mask={{ closable: false }} keyboard={false} onCancel={() => setMade(null)}>
          <InstallCommand made={made} installed onClose={() => setMade(null)} />
        </Modal>
      )}
    </>
  );
}
