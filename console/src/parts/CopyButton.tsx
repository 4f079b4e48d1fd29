// SPDX-License-Identifier: Apache-2.0
/** Puts a text into the clipboard, and says that it did. */
import { CheckOutlined, CopyOutlined } from '@ant-design/icons';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

export function CopyButton({ text, label }: { text: string; label?: string }) {
  const { t } = useTranslation('parts');
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = (e: React.MouseEvent) => {
    // In a table's row a click opens the row.
    e.stopPropagation();
    void navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => setDone(false),
    );
  };
  const name = done ? t('copied') : (label ?? t('copy'));
  return (
    <button type="button" className="copy" aria-label={name} title={name} onClick={copy}>
      {done ? <CheckOutlined aria-hidden /> : <CopyOutlined aria-hidden />}
    </button>
  );
}
