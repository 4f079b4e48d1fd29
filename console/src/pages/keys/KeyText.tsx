// SPDX-License-Identifier: Apache-2.0
/** A part of a new key, with a button that copies it. */
import { CopyButton } from '@/parts/CopyButton';

export function KeyText({ name, text, copy }: { name?: string; text: string; copy: string }) {
  return (
    <p className="key-secret">
      {name && <b>{name} </b>}
      <code className="secret">{text}</code> <CopyButton text={text} label={copy} />
    </p>
  );
}
