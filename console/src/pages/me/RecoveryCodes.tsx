// SPDX-License-Identifier: Apache-2.0
/** Recovery codes, shown this once: copy, save, and say that one has them. */
import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { saveFile } from '@/parts/csv';
import { CopyButton } from '@/parts/CopyButton';

export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { t } = useTranslation('me');
  const text = codes.join('\n');
  return (
    <div>
      <Alert type="warning" showIcon title={t('factor.codesOnce')} description={t('factor.codesText')} />
      <ul className="recovery-codes">
        {codes.map((c) => (
          <li key={c}>
            <code>{c}</code>
          </li>
        ))}
      </ul>
      <div className="form-actions">
        <Button onClick={() => saveFile('lazaret-recovery-codes.txt', `${text}\n`, 'text/plain')}>{t('factor.saveCodes')}</Button>
        <CopyButton text={text} label={t('factor.copyCodes')} />
        <Button type="primary" onClick={onDone}>
          {t('factor.haveCodes')}
        </Button>
      </div>
    </div>
  );
}
