// SPDX-License-Identifier: Apache-2.0
/** The form of a scan that begins now, and of a plan: what is scanned where, what becomes of it, and when. */
import { Alert, Button, Checkbox, Form, Input, InputNumber, Modal, Radio, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { allows } from '@/app/permissions';
import { useMe } from '@/app/session';
import { useAttempt } from '@/parts/attempt';
import { safeText } from '@/parts/FileName';
import { useOptions } from '@/parts/tags';
import { HostChoice } from './HostChoice';
import { FILE_TYPES, KINDS, STARTS, isFolder, zoneText, type Fields } from './plan';
import './scans.css';

interface Props {
  title: string;
  verb: string;
  initial: Fields;
  /** With a beginning; without it: now. */
  planned?: boolean;
  /** Whose clock a plan goes by, in minutes east of UTC; without it: that of this browser. */
  offset?: number | null;
  /** Its project stays. */
  fixedProject?: boolean;
  /** Does it; what it throws is shown in the form, which stays open. */
  onSubmit: (fields: Fields) => Promise<unknown>;
  onClose: () => void;
}

export function ScanForm({ title, verb, initial, planned = false, offset, fixedProject = false, onSubmit, onClose }: Props) {
  const { t, i18n } = useTranslation('scans');
  const options = useOptions();
  const me = useMe();
  const [form] = Form.useForm<Fields>();
  const { busy, error, attempt } = useAttempt();
  const projects = useGet('/api/v1/projects', {}, { staleTime: 60_000 });
  const mine = (projects.data?.items ?? []).filter((p) => allows(me.grants, 'operate', p.id));
  const at = Form.useWatch([], form) ?? initial;
  const fields: Fields = { ...initial, ...at };

  const submit = (said: Fields) =>
    attempt(async () => {
      await onSubmit({ ...initial, ...said, name: said.name.trim() });
      onClose();
    });
  const zone = zoneText(offset ?? -new Date().getTimezoneOffset());
  const folders = { validator: (_: unknown, v: string[] | undefined) => ((v ?? []).every(isFolder) ? Promise.resolve() : Promise.reject(new Error(t('form.folderBad')))) };
  const days = [...Array(7).keys()].map((i) => ({
    value: i + 1,
    // 4 January 1970 was a Sunday.
    label: new Intl.DateTimeFormat(i18n.language === 'zh' ? 'zh-CN' : 'en', { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(1970, 0, 4 + i))),
  }));

  return (
    <Modal
      open
      title={title}
      width={640}
      onCancel={busy ? undefined : onClose}
      mask={{ closable: false }}
      footer={[
        <Button key="no" onClick={onClose} disabled={busy}>
          {t('form.cancel')}
        </Button>,
        <Button key="yes" type="primary" loading={busy} onClick={() => form.submit()}>
          {verb}
        </Button>,
      ]}
    >
      <Form<Fields> form={form} layout="vertical" requiredMark={false} initialValues={initial} onFinish={(f) => void submit(f)} className="scan-form">
        {error && <Alert type="error" showIcon title={error} role="alert" className="door-error" />}
        <Form.Item name="name" label={t('column.name')} rules={[{ required: true, whitespace: true, message: t('form.needed') }]}>
          <Input maxLength={64} autoFocus />
        </Form.Item>
        <Form.Item name="project" label={t('column.project')}>
          <Select
            disabled={fixedProject}
            options={mine.map((p) => ({ value: p.id, label: safeText(p.name) }))}
            onChange={() => form.setFieldsValue({ hosts: [], groups: [] })}
          />
        </Form.Item>
        <Form.Item name="kind" label={t('column.kind')} extra={t(`kindHint.${fields.kind}`)}>
          <Radio.Group options={options('scanKind', KINDS)} optionType="button" />
        </Form.Item>
        {fields.kind === 'custom' && (
          <Form.Item name="include" label={t('form.include')} extra={t('form.folderHint')} rules={[{ required: true, message: t('form.needed') }, folders]}>
            <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={['\n', ' ']} maxCount={100} />
          </Form.Item>
        )}
        <Form.Item name="exclude" label={t('form.exclude')} extra={t('form.folderHint')} rules={[folders]}>
          <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={['\n', ' ']} maxCount={100} />
        </Form.Item>
        <Form.Item name="file_types" label={t('form.types')}>
          <Select mode="multiple" placeholder={t('form.allTypes')} options={options('scanFileType', FILE_TYPES)} optionFilterProp="label" />
        </Form.Item>
        <Form.Item name="where" label={t('form.where')}>
          <Radio.Group
            options={[
              { value: 'all', label: t('form.allHosts') },
              { value: 'some', label: t('form.someHosts') },
            ]}
          />
        </Form.Item>
        {fields.where === 'some' && <HostChoice project={fields.project} chosen={fields.hosts.length + fields.groups.length} />}
        <Form.Item name="spread_minutes" label={t('form.spread')} extra={t('form.spreadHint')}>
          <InputNumber min={0} max={1440} precision={0} suffix={t('form.minutes')} className="scan-number" />
        </Form.Item>
        {planned && (
          <>
            <Form.Item name="start_type" label={t('form.start')}>
              <Radio.Group options={options('startType', fields.start_type === 'now' ? ['now', ...STARTS] : STARTS)} optionType="button" />
            </Form.Item>
            {fields.start_type === 'later' && (
              <Form.Item name="at" label={t('form.at')} extra={t('form.atHint')} rules={[{ required: true, message: t('form.needed') }]}>
                <Input type="datetime-local" className="scan-number" />
              </Form.Item>
            )}
            {fields.start_type === 'week' && (
              <Form.Item name="weekday" label={t('form.weekday')}>
                <Select options={days} className="scan-number" />
              </Form.Item>
            )}
            {fields.start_type === 'month' && (
              <Form.Item name="monthday" label={t('form.monthday')}>
                <InputNumber min={1} max={28} precision={0} className="scan-number" />
              </Form.Item>
            )}
            {['day', 'week', 'month'].includes(fields.start_type) && (
              <Form.Item name="clock" label={t('form.clock')} extra={t('form.clockHint', { zone })} rules={[{ required: true, message: t('form.needed') }]}>
                <Input type="time" className="scan-number" />
              </Form.Item>
            )}
          </>
        )}
        <Form.Item name="automatic" valuePropName="checked" className="scan-last">
          <Checkbox>{t('form.automatic')}</Checkbox>
        </Form.Item>
        <Alert type={fields.automatic ? 'warning' : 'info'} showIcon title={t(fields.automatic ? 'form.automaticText' : 'form.alarmText')} />
      </Form>
    </Modal>
  );
}
