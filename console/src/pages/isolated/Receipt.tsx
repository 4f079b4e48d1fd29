// SPDX-License-Identifier: Apache-2.0
/** What a host said an order came to: the receipt of a restore line by line, what a verification found. */
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { FileName, HostText } from '@/parts/FileName';
import { Status, Tag, useWord } from '@/parts/tags';

export function Receipt({ of }: { of: Schema<'Receipt'> }) {
  const { t } = useTranslation('isolated');
  const word = useWord();
  const restarts = of.restarts ?? [];
  const differs = of.lines.filter((l) => !l.same).length;
  return (
    <div className="order-more">
      <p className="quiet">
        {t('receipt.to')} <FileName name={of.path} bytes={of.path_b64} copy />
        {' · '}
        {differs === 0 ? t('receipt.allSame') : t('receipt.differs', { count: differs })}
      </p>
      {of.reason && (
        <p className="quiet">
          <HostText text={of.reason} />
        </p>
      )}
      {of.lines.length > 0 && (
        <div className="scrolled">
          <table className="plain-table" aria-label={t('receipt.title')}>
            <thead>
              <tr>
                {['attribute', 'before', 'after', 'same', 'note'].map((name) => (
                  <th key={name} scope="col">
                    {t(`receipt.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {of.lines.map((line, i) => (
                <tr key={i}>
                  <td><Attribute name={line.attribute} /></td>
                  <td>
                    <HostText text={line.before} code />
                  </td>
                  <td className={line.same ? undefined : 'differs'}>
                    <HostText text={line.after} code />
                  </td>
                  <td>{line.same ? <Tag tone="good">{t('receipt.yes')}</Tag> : <Tag tone="medium">{t('receipt.no')}</Tag>}</td>
                  <td>
                    <HostText text={line.note} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {restarts.length > 0 && (
        <>
          <h3>{t('receipt.restarts')}</h3>
          <ul className="orders">
            {restarts.map((r, i) => (
              <li key={i}>
                <HostText text={r.unit} code /> {word('outcome', r.outcome)} {r.reason && <HostText text={r.reason} />}
              </li>
            ))}
          </ul>
        </>
      )}
      {of.next && (
        <p className="quiet">
          <HostText text={of.next} />
        </p>
      )}
    </div>
  );
}

export function Verified({ of }: { of: readonly Schema<'Verify'>[] }) {
  const { t } = useTranslation('isolated');
  return (
    <ul className="orders order-more">
      {of.map((v) => (
        <li key={v.id}>
          {v.ok ? <Tag tone="good">{t('verify.whole')}</Tag> : <Tag tone="high">{t('verify.broken')}</Tag>}{' '}
          {v.reason && <HostText text={v.reason} />}
        </li>
      ))}
    </ul>
  );
}

/** State of an order and, where the host has answered, what it said. */
export function OrderOutcome({ of }: { of: Schema<'Command'> }) {
  const said = of.result?.receipt ?? null;
  const reason = said?.reason === of.reason ? '' : of.reason;
  return (
    <>
      <Status kind="commandState" value={of.state} /> {reason && <HostText text={reason} />}
    </>
  );
}

/** Words of the host for what it compares; `link PATH` and `xattr NAME` name the thing behind them. */
const ATTRIBUTES: Record<string, string> = {
  path: 'path',
  sha256: 'sha256',
  size: 'size',
  owner: 'owner',
  group: 'group',
  mode: 'mode',
  'modification time': 'mtime',
  'access time': 'atime',
  'change time': 'ctime',
  'birth time': 'btime',
  'inode number': 'inode',
  'inode flags': 'flags',
  'extended attributes': 'xattrs',
};

function Attribute({ name }: { name: string }) {
  const { t } = useTranslation('isolated');
  const known = ATTRIBUTES[name];
  if (known) return <>{t(`attribute.${known}`)}</>;
  if (name.startsWith('link ')) {
    return (
      <>
        {t('attribute.link')} <FileName name={name.slice(5)} />
      </>
    );
  }
  return <HostText text={name} />;
}
