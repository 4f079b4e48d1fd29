// SPDX-License-Identifier: Apache-2.0
/** A QR code, drawn here: the secret in it goes to nobody. */
import { encode } from 'uqr';
import { useMemo } from 'react';

export function QrCode({ text, label, size = 200 }: { text: string; label: string; size?: number }) {
  const { data, edge } = useMemo(() => {
    const code = encode(text, { ecc: 'M', border: 2 });
    return { data: code.data, edge: code.size };
  }, [text]);
  const path = data
    .flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return (
    // Dark on white in every theme: cameras want it so.
    <svg viewBox={`0 0 ${edge} ${edge}`} width={size} height={size} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={edge} height={edge} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
