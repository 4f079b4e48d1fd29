// SPDX-License-Identifier: Apache-2.0
/** A new access key: AK and SK, and how a program of the SDK is pointed at this server. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { CopyButton } from '@/parts/CopyButton';
import { KeyText } from './KeyText';
import { projectFor, pythonLines } from './python';

export function AccessKeyMade({ made }: { made: Schema<'AccessKeySecret'> }) {
  const { t } = useTranslation('keys');
  const projects = useGet('/api/v1/projects', {}, { staleTime: 60_000 });
  const ids = (projects.data?.items ?? []).map((p) => p.id);
  const lines = pythonLines(window.location.origin, projectFor(made.access_key.grants, ids));
  return (
    <>
      <KeyText name="AK" text={made.access} copy={t('accessKeys.copyAk')} />
      <KeyText name="SK" text={made.secret} copy={t('accessKeys.copySk')} />
      <p>{t('accessKeys.example')}</p>
      <div className="json">
        <CopyButton text={lines} label={t('accessKeys.copyExample')} />
        <pre tabIndex={0} role="region" aria-label={t('accessKeys.example')}>
          {lines}
        </pre>
      </div>
      <p className="quiet">{t('accessKeys.certificate')}</p>
    </>
  );
}
