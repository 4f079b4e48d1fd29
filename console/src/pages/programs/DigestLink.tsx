// SPDX-License-Identifier: Apache-2.0
/** A content by the beginning of its digest: leads to its page, and can be copied. */
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '@/parts/CopyButton';
import { ThingLink } from '@/parts/links';

export function DigestLink({ sha256 }: { sha256: string }) {
  const { t } = useTranslation('programs');
  return (
    <span className="digest">
      <ThingLink to="/programs/$id" id={sha256}>
        <Tooltip title={<code>{sha256}</code>}>
          <code>{sha256.slice(0, 12)}…</code>
        </Tooltip>
      </ThingLink>
      <CopyButton text={sha256} label={t('copyDigest')} />
    </span>
  );
}
