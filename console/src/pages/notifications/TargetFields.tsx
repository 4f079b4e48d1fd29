// SPDX-License-Identifier: Apache-2.0
/** The fields of a target: where to, what, when. Which there are depends on its kind. */
import { Checkbox, Form, Input, InputNumber, Radio, Select, Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import { useMe } from '@/app/session';
import { allows } from '@/app/permissions';
import { useProjectOptions } from '@/parts/projects';
import { useOptions } from '@/parts/tags';
import { TextArea } from '@/parts/TextArea';
import { EVERYWHERE, type Fields, type Kind, KINDS, speaksToPeople } from './form';

const CLASSES = ['malware', 'virus', 'worm', 'trojan', 'botnet', 'backdoor', 'rootkit', 'ransomware', 'hacktool', 'webshell', 'miner', 'reverseshell'];

interface Props {
  /** One that is there: kind and project stay. */
  old?: { kind: Kind; hasSecret: boolean };
}

export function TargetFields({ old }: Props) {
  const { t } = useTranslation('notifications');
  const options = useOptions();
  const me = useMe();
  const everywhere = allows(me.grants, 'administer_all');
  const projects = useProjectOptions('administer');
  const kind = Form.useWatch<Kind | undefined>('kind') ?? old?.kind ?? 'email';
  const mode = Form.useWatch<string | undefined>('mode');
  const needed = [{ required: true, whitespace: true, message: t('needed') }];
  const people = speaksToPeople(kind);
  const port = (usual: string) => (
    <Form.Item<Fields> name="port" label={t('port')} rules={[{ type: 'number', min: 1, max: 65_535, message: '1 – 65535' }]}>
      <InputNumber precision={0} placeholder={usual} />
    </Form.Item>
  );
  const url = (
    <Form.Item<Fields> name="url" label={t('url')} extra={t('urlHint')} rules={[{ required: true, pattern: /^\s*https?:\/\/\S+\s*$/, message: t('urlWrong') }]}>
      <Input maxLength={2048} spellCheck={false} placeholder="https://" />
    </Form.Item>
  );
  const secret = (label: string) => (
    <>
      <Form.Item<Fields> name="secret" label={label} extra={old?.hasSecret ? t('secretStays') : undefined}>
        <Input.Password maxLength={1024} autoComplete="new-password" />
      </Form.Item>
      {old?.hasSecret && (
        <Form.Item<Fields> name="forget" valuePropName="checked">
          <Checkbox>{t('secretForget')}</Checkbox>
        </Form.Item>
      )}
    </>
  );
  return (
    <>
      {!old && (
        <Form.Item<Fields> name="kind" label={t('column.kind')} extra={t(`kindText.${kind}`)}>
          <Radio.Group optionType="button" options={options('targetKind', KINDS).filter((o) => o.value !== 'file' || everywhere)} />
        </Form.Item>
      )}
      <Form.Item<Fields> name="name" label={t('column.name')} rules={needed}>
        <Input maxLength={64} />
      </Form.Item>
      {!old && (
        <Form.Item<Fields> name="project" label={t('column.project')}>
          <Select options={[...(everywhere ? [{ value: EVERYWHERE, label: t('every') }] : []), ...projects]} />
        </Form.Item>
      )}
      {kind === 'email' && (
        <>
          <Form.Item<Fields> name="to" label={t('to')} extra={t('toHint')} rules={[{ required: true, message: t('needed') }]}>
            <Select mode="tags" tokenSeparators={[',', ' ']} maxCount={50} open={false} suffixIcon={null} />
          </Form.Item>
          <Form.Item<Fields> name="from" label={t('from')} rules={needed}>
            <Input maxLength={320} placeholder="Lazaret <lazaret@example.com>" />
          </Form.Item>
          <Form.Item<Fields> name="server" label={t('server')} rules={needed}>
            <Input maxLength={253} spellCheck={false} />
          </Form.Item>
          <Form.Item<Fields> name="security" label={t('security')}>
            <Radio.Group options={[{ value: 'starttls', label: 'STARTTLS' }, { value: 'tls', label: 'TLS' }, { value: 'none', label: t('plain') }]} />
          </Form.Item>
          {port('587 / 465 / 25')}
          <Form.Item<Fields> name="user" label={t('user')}>
            <Input maxLength={200} autoComplete="off" spellCheck={false} />
          </Form.Item>
          {secret(t('password'))}
        </>
      )}
      {kind === 'webhook' && url}
      {kind === 'http' && (
        <>
          {url}
          {secret(t('token'))}
        </>
      )}
      {kind === 'syslog' && (
        <>
          <Form.Item<Fields> name="server" label={t('server')} rules={needed}>
            <Input maxLength={253} spellCheck={false} />
          </Form.Item>
          {port('6514')}
          <Form.Item<Fields> name="format" label={t('format')}>
            <Radio.Group options={[{ value: 'ocsf', label: 'OCSF (JSON)' }, { value: 'cef', label: 'CEF' }]} />
          </Form.Item>
          <Form.Item<Fields> name="facility" label={t('facility')} rules={[{ type: 'number', required: true, min: 0, max: 23, message: '0 – 23' }]}>
            <InputNumber precision={0} />
          </Form.Item>
        </>
      )}
      {kind === 'file' && (
        <>
          <Form.Item<Fields> name="file" label={t('file')} extra={t('fileHint')} rules={needed}>
            <Input spellCheck={false} placeholder="lazaret.ocsf.jsonl" />
          </Form.Item>
          <Form.Item<Fields> name="max_megabytes" label={t('megabytes')} rules={[{ type: 'number', required: true, min: 1, max: 4096, message: '1 – 4096' }]}>
            <InputNumber precision={0} suffix="MB" />
          </Form.Item>
          <Form.Item<Fields> name="keep" label={t('keep')} rules={[{ type: 'number', required: true, min: 0, max: 1000, message: '0 – 1000' }]}>
            <InputNumber precision={0} />
          </Form.Item>
        </>
      )}
      {kind !== 'file' && (
        <Form.Item<Fields> name="authority" label={t('authority')} extra={t('authorityHint')}>
          <TextArea least={1} most={6} spellCheck={false} placeholder="-----BEGIN CERTIFICATE-----" maxLength={65_536} />
        </Form.Item>
      )}
      <h3>{t('what')}</h3>
      <Form.Item<Fields> name="severities" label={t('severities')} extra={t('severitiesHint')}>
        <Checkbox.Group options={options('severity', ['critical', 'high', 'medium', 'low'])} />
      </Form.Item>
      <Form.Item<Fields> name="masked_classes" label={t('masked')}>
        <Select mode="multiple" options={options('class', CLASSES)} optionFilterProp="label" allowClear />
      </Form.Item>
      <Form.Item<Fields> name="tests" valuePropName="checked">
        <Checkbox>{t('tests')}</Checkbox>
      </Form.Item>
      {people && (
        <>
          <Form.Item<Fields> name="handlings" valuePropName="checked">
            <Checkbox>{t('handlings')}</Checkbox>
          </Form.Item>
          <h3>{t('when')}</h3>
          <Form.Item<Fields> name="mode">
            <Radio.Group options={options('deliveryMode', ['real_time', 'daily'])} aria-label={t('when')} />
          </Form.Item>
          {mode === 'daily' ? (
            <>
              <Form.Item<Fields> name="hour" label={t('hour')} rules={[{ type: 'number', min: 0, max: 23, message: '0 – 23' }]}>
                <InputNumber precision={0} placeholder="8" />
              </Form.Item>
              <Form.Item<Fields> name="zone" label={t('zone')}>
                <Input placeholder="UTC, Europe/Berlin, +08:00" maxLength={64} spellCheck={false} />
              </Form.Item>
            </>
          ) : (
            <Form.Item<Fields> name="per_minute" label={t('perMinute')} extra={t('perMinuteHint')} rules={[{ type: 'number', min: 1, max: 600, message: '1 – 600' }]}>
              <InputNumber precision={0} placeholder="12" />
            </Form.Item>
          )}
        </>
      )}
      <Form.Item<Fields> name="enabled" label={t('column.enabled')} valuePropName="checked">
        <Switch />
      </Form.Item>
    </>
  );
}
