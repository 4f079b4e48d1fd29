// SPDX-License-Identifier: Apache-2.0
/** One button for a false positive: says what it would undo everywhere, then does it. */
import { Button, Checkbox, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { Shown } from '@/app/states';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { Facts } from '@/parts/Page';
import { HostText } from '@/parts/FileName';
import './isolated.css';

export function FalsePositive({ alarm, size }: { alarm: string; size?: 'small' }) {
  const { t } = useTranslation('isolated');
  const { ordered } = useFeedback();
  const [open, setOpen] = useState(false);
  const [remark, setRemark] = useState('');
  const [restart, setRestart] = useState(true);
  const [disarm, setDisarm] = useState(true);
  const preview = useGet('/api/v1/alarms/{id}/false-positive', { path: { id: alarm } }, { enabled: open, retry: false });
  const report = useSend('post', '/api/v1/alarms/{id}/false-positive', {
    changes: ['/api/v1/alarms', '/api/v1/isolated-files', '/api/v1/whitelist', '/api/v1/files', '/api/v1/commands'],
  });
  return (
    <>
      <Button size={size} onClick={() => setOpen(true)}>
        {t('false.button')}
      </Button>
      <ConfirmDialog
        open={open}
        onClose={() => setOpen(false)}
        title={t('false.title')}
        text={t('false.text')}
        names={preview.data?.isolated.map((i) => `${i.host.name}: ${i.path}`)}
        total={preview.data?.isolated_total}
        verb={t('false.verb')}
        ready={preview.data !== undefined}
        action={async () => {
          const answer = await report.mutateAsync({ path: { id: alarm }, body: { remark: remark.trim(), restart, disarm } });
          ordered(answer, t('false.ordered'));
        }}
      >
        <Shown of={preview}>
          {(p) => (
            <div className="ask">
              <Facts
                wide
                of={[
                  [t('false.restored'), p.isolated_total],
                  [t('false.hosts'), p.hosts_later > 0 ? t('false.hostsLater', { count: p.hosts.length, later: p.hosts_later }) : p.hosts.length],
                  [t('false.alarms'), p.alarms],
                  [t('false.rules'), p.rules.length === 0 ? null : <HostText key="r" text={p.rules.join(', ')} />],
                  [t('false.restarts'), p.restarts.length === 0 ? null : <HostText key="s" text={p.restarts.join(', ')} />],
                  [t('false.whitelist'), p.whitelist_projects.length === 0 ? null : <HostText key="w" text={p.whitelist_projects.join(', ')} />],
                ]}
              />
              <Checkbox checked={restart} onChange={(e) => setRestart(e.target.checked)}>
                {t('false.restart')}
              </Checkbox>
              <Checkbox checked={disarm} onChange={(e) => setDisarm(e.target.checked)}>
                {t('false.disarm')}
              </Checkbox>
              <Input aria-label={t('remark')} placeholder={t('remark')} maxLength={512} value={remark} onChange={(e) => setRemark(e.target.value)} />
            </div>
          )}
        </Shown>
      </ConfirmDialog>
    </>
  );
}
