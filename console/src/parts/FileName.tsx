// SPDX-License-Identifier: Apache-2.0
/**
 * File names, command lines and whatever else a host wrote. They are raw bytes chosen by whoever attacks
 * the host: control, bidirectional and invisible characters are shown as escapes, never obeyed.
 */
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { CopyButton } from './CopyButton';

export interface Piece {
  text: string;
  /** It stands for something that would not be seen as it is. */
  escaped: boolean;
}

/** Controls, format characters (bidirectional, zero width, tags), private use, separators, spaces that look like others. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000\u115F\u1160\u3164\uFFA0\u2800]|[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/u;

const NAMES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

function escapeOf(char: string): string {
  const named = NAMES[char];
  if (named) return named;
  const point = char.codePointAt(0) ?? 0;
  return point < 0x100 ? `\\x${point.toString(16).padStart(2, '0')}` : `\\u{${point.toString(16)}}`;
}

/** Cuts a text into what can be shown and what stands for something else. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  const push = (part: string, escaped: boolean) => {
    const last = pieces.at(-1);
    if (last && last.escaped === escaped) last.text += part;
    else pieces.push({ text: part, escaped });
  };
  // By code point; half of a surrogate pair comes alone, and is shown as what it is.
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    const lonely = point >= 0xd800 && point <= 0xdfff;
    if (lonely || UNSAFE.test(char)) push(escapeOf(char), true);
    else push(char, false);
  }
  return pieces;
}

/** A base64 text's bytes, as pieces: what is UTF-8 is read, other bytes are escaped one by one. */
export function piecesOfBytes(base64: string): Piece[] | null {
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  } catch {
    return null;
  }
  const pieces: Piece[] = [];
  const push = (more: Piece[]) => {
    for (const one of more) {
      const last = pieces.at(-1);
      if (last && last.escaped === one.escaped) last.text += one.text;
      else pieces.push({ ...one });
    }
  };
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    let read: string | null = null;
    if (length > 0 && i + length <= bytes.length) {
      try {
        read = strict.decode(bytes.subarray(i, i + length));
      } catch {
        read = null;
      }
    }
    if (read === null) {
      push([{ text: `\\x${first.toString(16).padStart(2, '0')}`, escaped: true }]);
      i += 1;
    } else {
      push(piecesOf(read));
      i += length;
    }
  }
  return pieces;
}

/** As one plain text: for titles, charts and files. */
export function safeText(text: string): string {
  return piecesOf(text)
    .map((p) => p.text)
    .join('');
}

/** Folder and name; what has no slash is all name. */
export function afterLastSlash(pieces: readonly Piece[]): [Piece[], Piece[]] {
  for (let i = pieces.length - 1; i >= 0; i -= 1) {
    const piece = pieces[i];
    const at = piece && !piece.escaped ? piece.text.lastIndexOf('/') : -1;
    if (!piece || at < 0) continue;
    return [
      [...pieces.slice(0, i), { text: piece.text.slice(0, at + 1), escaped: false }],
      [{ text: piece.text.slice(at + 1), escaped: false }, ...pieces.slice(i + 1)].filter((p) => p.text !== ''),
    ];
  }
  return [[], [...pieces]];
}

function Pieces({ pieces }: { pieces: Piece[] }) {
  return pieces.map((p, i) =>
    p.escaped ? (
      <span key={i} className="escaped">
        {p.text}
      </span>
    ) : (
      <span key={i}>{p.text}</span>
    ),
  );
}

interface Props {
  name: string | null | undefined;
  /** The exact bytes, where they are not UTF-8. */
  bytes?: string | null;
  /** One line, cut at the front: the end of a path tells more. */
  cut?: boolean;
  copy?: boolean;
}

/** A path or file name. */
export function FileName({ name, bytes, cut = false, copy = false }: Props) {
  if (name === null || name === undefined || name === '') return <span className="none">-</span>;
  const pieces = (bytes ? piecesOfBytes(bytes) : null) ?? piecesOf(name);
  const plain = pieces.map((p) => p.text).join('');
  // `bdi` keeps right-to-left letters of a name from moving what stands around it.
  const shown = cut ? (
    <bdi dir="ltr" className="file-name file-name-cut">
      {afterLastSlash(pieces).map((part, i) => (
        // The end of a path says more than its beginning: the folder is what is cut.
        <span key={i} className={i === 0 ? 'file-folder' : 'file-base'}>
          <Pieces pieces={part} />
        </span>
      ))}
    </bdi>
  ) : (
    <bdi dir="ltr" className="file-name">
      <Pieces pieces={pieces} />
    </bdi>
  );
  return (
    <span className={cut ? 'file-name-line' : undefined}>
      {cut ? <Tooltip title={<bdi className="file-name">{plain}</bdi>}>{shown}</Tooltip> : shown}
      {copy && <CopyButton text={plain} />}
    </span>
  );
}

/** Any other text of a host: names, messages, command lines. */
export function HostText({ text, code = false }: { text: string | null | undefined; code?: boolean }) {
  if (!text) return <span className="none">-</span>;
  return (
    <bdi dir="ltr" className={code ? 'file-name' : 'host-text'}>
      <Pieces pieces={piecesOf(text)} />
    </bdi>
  );
}

/** A digest: its beginning, the whole on hover and by the button. */
export function Digest({ value, whole = false }: { value: string | null | undefined; whole?: boolean }) {
  const { t } = useTranslation('parts');
  if (!value) return <span className="none">-</span>;
  return (
    <span className="digest">
      {whole ? <code>{value}</code> : (
        <Tooltip title={<code>{value}</code>}>
          <code aria-label={value}>{value.slice(0, 12)}…</code>
        </Tooltip>
      )}
      <CopyButton text={value} label={t('copyDigest')} />
    </span>
  );
}
