// SPDX-License-Identifier: Apache-2.0
/** The one button: it was a false positive. Shows all that it undoes before it does. */
import { Alert, Button, Checkbox } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Shown } from '@/app/states';
import { ConfirmDialog } from '@/parts/ConfirmAction';
import { useFeedback } from '@/parts/feedback';
import { FileName, HostText } from '@/parts/FileName';
import { TextArea } from '@/parts/TextArea';
import { HANDLING_CHANGES } from './handle/useHandle';

type Touched = Schema<'FalsePositivePreview'>;

/** `alarm`: its id. Not shown to those who may not, and for what is about no file. */
export function FalsePositiveButton({ alarm, project }: { alarm: string; project: string }) {
  const { t } = useTranslation('alarms');
  const can = useCan();
  const [open, setOpen] = useState(false);
  if (!can('administer', project)) return null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('falsePositive.button')}</Button>
      {open && <FalsePositiveDialog alarm={alarm} onClose={() => setOpen(false)} />}
    </>
  );
}

function FalsePositiveDialog({ alarm, onClose }: { alarm: string; onClose: () => void }) {
  const { t } = useTranslation('alarms');
  const { ordered } = useFeedback();
  const id = useId();
  const [remark, setRemark] = useState('');
  const [restart, setRestart] = useState(true);
  const [disarm, setDisarm] = useState(true);
  const preview = useGet('/api/v1/alarms/{id}/false-positive', { path: { id: alarm } }, { retry: false, staleTime: 0 });
  const report = useSend('post', '/api/v1/alarms/{id}/false-positive', { changes: HANDLING_CHANGES });
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t('falsePositive.title')}
      text={t('falsePositive.text')}
      verb={t('falsePositive.verb')}
      ready={preview.data !== undefined}
      action={async () => {
        const answer = await report.mutateAsync({ path: { id: alarm }, body: { remark: remark.trim(), restart, disarm } });
        ordered(answer, t('falsePositive.done'));
      }}
    >
      <Shown of={preview}>{(touched) => <What of={touched} />}</Shown>
      <div className="form">
        <Checkbox checked={restart} onChange={(e) => setRestart(e.target.checked)}>
          {t('falsePositive.restart')}
        </Checkbox>
        <Checkbox checked={disarm} onChange={(e) => setDisarm(e.target.checked)}>
          {t('falsePositive.disarm')}
        </Checkbox>
        <label htmlFor={id}>{t('handle.remark')}</label>
        <TextArea id={id} value={remark} maxLength={512} least={2} most={4} onChange={(e) => setRemark(e.target.value)} />
      </div>
    </ConfirmDialog>
  );
}

function What({ of }: { of: Touched }) {
  const { t } = useTranslation('alarms');
  const texts = (list: string[]) => (
    <ul className="plain-list">
      {list.map((one) => (
        <li key={one}>
          <HostText text={one} />
        </li>
      ))}
    </ul>
  );
  const more = of.isolated_total - of.isolated.length;
  return (
    <dl className="preview-list">
      <dt>{t('falsePositive.restored', { count: of.isolated_total })}</dt>
      <dd>
        {of.isolated_total === 0 && <span className="quiet">{t('preview.none')}</span>}
        <ul className="plain-list plain-list-long">
          {of.isolated.map((f) => (
            <li key={f.id}>
              <HostText text={f.host.name} /> <FileName name={f.path} bytes={f.path_b64} />
            </li>
          ))}
          {more > 0 && <li>{t('handle.more', { count: more })}</li>}
        </ul>
        {of.hosts_later > 0 && <Alert type="info" showIcon title={t('falsePositive.later', { count: of.hosts_later })} />}
      </dd>
      <dt>{t('falsePositive.alarms')}</dt>
      <dd>{of.alarms}</dd>
      <dt>{t('falsePositive.whitelisted')}</dt>
      <dd>
        <FileName name={of.sha256} />
        <div className="quiet">{t('falsePositive.projects', { names: of.whitelist_projects.join(', ') })}</div>
      </dd>
      {of.rules.length > 0 && (
        <>
          <dt>{t('falsePositive.rules')}</dt>
          <dd>{texts(of.rules)}</dd>
        </>
      )}
      {of.restarts.length > 0 && (
        <>
          <dt>{t('falsePositive.restarts')}</dt>
          <dd>{texts(of.restarts)}</dd>
        </>
      )}
      {of.withdrawn_projects.length > 0 && (
        <>
          <dt>{t('falsePositive.withdrawn')}</dt>
          <dd>{of.withdrawn_projects.join(', ')}</dd>
        </>
      )}
    </dl>
  );
}
