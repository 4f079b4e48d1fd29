// SPDX-License-Identifier: Apache-2.0
/** Folders in one line of a table: the first ones, all of them on hover. */
import { Tooltip } from 'antd';
import { FileName, safeText } from '@/parts/FileName';

export function Folders({ of, none }: { of: readonly string[]; none: string }) {
  if (of.length === 0) return <span className="none">{none}</span>;
  return (
    <Tooltip title={of.map((f, i) => <div key={i}>{safeText(f)}</div>)}>
      <span tabIndex={0}>
        {of.slice(0, 4).map((f, i) => (
          <span key={i}>
            {i > 0 && ', '}
            <FileName name={f} />
          </span>
        ))}
        {of.length > 4 && ` +${of.length - 4}`}
      </span>
    </Tooltip>
  );
}
