// SPDX-License-Identifier: Apache-2.0
/** The settings of a policy group as fields, each with what it does and what holds when it is not set. */
import { Form, InputNumber, Radio, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Panel } from '@/parts/Page';
import { useOptions } from '@/parts/tags';
import { TextArea } from '@/parts/TextArea';
import { BOUNDS, CLASSES, type Fields, type FlagName, type NumberName, wrongPath } from './settings';

function NumberField({ name, unit }: { name: NumberName; unit?: string }) {
  const { t } = useTranslation('policies');
  const [least, most] = BOUNDS[name];
  const bounds = t('bounds', { least, most });
  return (
    <Form.Item<Fields> name={name} label={t(`setting.${name}`)} extra={`${t(`help.${name}`)} ${bounds}`} rules={[{ type: 'number', min: least, max: most, message: bounds }]}>
      <InputNumber precision={0} placeholder={t('own')} suffix={unit} className="policy-number" />
    </Form.Item>
  );
}

function FlagField({ name }: { name: FlagName }) {
  const { t } = useTranslation('policies');
  return (
    <Form.Item<Fields> name={name} label={t(`setting.${name}`)} extra={t(`help.${name}`)}>
      <Radio.Group optionType="button" options={[{ value: 'own', label: t('own') }, { value: 'yes', label: t('yes') }, { value: 'no', label: t('no') }]} />
    </Form.Item>
  );
}

function PathsField({ name, notAll }: { name: 'web_roots' | 'exclude'; notAll?: boolean }) {
  const { t } = useTranslation('policies');
  const check = (_: unknown, text: string) => {
    const wrong = wrongPath(text, notAll);
    if (!wrong) return Promise.resolve();
    return Promise.reject(new Error(wrong.many ? t('manyPaths') : t('wrongPath', { line: wrong.line })));
  };
  return (
    <Form.Item<Fields> name={name} label={t(`setting.${name}`)} extra={t(`help.${name}`)} rules={[{ validator: check }]}>
      <TextArea least={2} most={10} spellCheck={false} className="mono" placeholder={name === 'web_roots' ? '/srv/www' : '/var/lib/backup'} />
    </Form.Item>
  );
}

export function SettingsFields() {
  const { t } = useTranslation('policies');
  const options = useOptions();
  const classes = Form.useWatch<Fields['classes'] | undefined>('classes');
  return (
    <div className="panels">
      <Panel title={t('part.acts')}>
        <Form.Item<Fields> name="classes" label={t('setting.automatic_classes')} extra={t('help.automatic_classes')}>
          <Radio.Group options={[{ value: 'own', label: t('own') }, { value: 'these', label: t('these') }]} />
        </Form.Item>
        {classes === 'these' && (
          <Form.Item<Fields> name="automatic_classes" label={t('setting.classes')}>
            <Select mode="multiple" options={options('class', CLASSES)} optionFilterProp="label" placeholder={t('noClass')} allowClear />
          </Form.Item>
        )}
        <FlagField name="dry_run" />
        <NumberField name="freeze_seconds" unit={t('seconds')} />
        <NumberField name="max_isolations_per_hour" />
        <NumberField name="max_kills_per_hour" />
      </Panel>
      <Panel title={t('part.judges')}>
        <Form.Item<Fields> name="protect_mode" label={t('setting.protect_mode')} extra={t('help.protect_mode')}>
          <Radio.Group options={[{ value: 'own', label: t('bySwitch') }, ...options('protectMode', ['equalization', 'high_detection'])]} />
        </Form.Item>
        <NumberField name="high_threshold" />
        <NumberField name="medium_threshold" />
        <FlagField name="test_programs" />
        <FlagField name="condemn_archives" />
      </Panel>
      <Panel title={t('part.looks')}>
        <PathsField name="web_roots" />
        <PathsField name="exclude" notAll />
      </Panel>
    </div>
  );
}
