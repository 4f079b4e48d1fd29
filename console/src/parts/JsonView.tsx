// SPDX-License-Identifier: Apache-2.0
/** Raw JSON: as text, with what cannot be seen as JSON's own escapes. */
import { CopyButton } from './CopyButton';

const HIDDEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00A0\u3164\uFFA0\u2800]/gu;

function escaped(char: string): string {
  return [...Array(char.length).keys()]
    .map((i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('');
}

/** Indented JSON that is still JSON. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, null, 2) ?? 'null';
  return text.replace(HIDDEN, (char) => (char === '\n' ? char : escaped(char)));
}

export function JsonView({ value, height = 480, label }: { value: unknown; height?: number; label: string }) {
  const text = jsonText(value);
  return (
    <div className="json">
      <CopyButton text={text} />
      <pre style={{ maxHeight: height }} tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
    </div>
  );
}
