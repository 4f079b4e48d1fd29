// SPDX-License-Identifier: Apache-2.0
/** The process chain as a tree: who started whom, down to the one that acted. */
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { Digest, FileName, HostText } from '@/parts/FileName';
import { Panel } from '@/parts/Page';
import { Tag } from '@/parts/tags';
import { Time } from '@/parts/Time';

type Process = Schema<'ProcessFacts'>;

export function ProcessTree({ chain }: { chain: Process[] }) {
  const { t } = useTranslation('alarms');
  // The host begins with the one that acted.
  const downwards = [...chain].reverse();
  return (
    <Panel title={t('chain.title')}>
      {chain.length === 0 ? <p className="quiet">{t('chain.none')}</p> : <Branch of={downwards} label={t('chain.title')} />}
    </Panel>
  );
}

function Branch({ of, label }: { of: Process[]; label?: string }) {
  const [first, ...rest] = of;
  if (!first) return null;
  return (
    <ul className="chain" aria-label={label}>
      <li>
        <Node of={first} acted={rest.length === 0} />
        {rest.length > 0 && <Branch of={rest} />}
      </li>
    </ul>
  );
}

function Node({ of, acted }: { of: Process; acted: boolean }) {
  const { t } = useTranslation('alarms');
  const exe = of.exe || of.cmdline[0];
  return (
    <div className={acted ? 'chain-node chain-acted' : 'chain-node'}>
      <div className="chain-head">
        <FileName name={exe} bytes={of.exe ? of.exe_b64 : undefined} />
        <span className="quiet">
          pid {of.pid ?? '-'} · uid {of.uid}
          {of.euid !== of.uid && ` → ${of.euid}`}
        </span>
        {acted && <Tag tone="high">{t('chain.acted')}</Tag>}
        {of.euid === 0 && of.uid !== 0 && <Tag tone="medium">{t('chain.raised')}</Tag>}
      </div>
      {of.cmdline.length > 0 && (
        <div className="chain-line">
          <HostText code text={of.cmdline.join(' ')} />
        </div>
      )}
      <div className="chain-more quiet">
        <span>
          {t('chain.started')} <Time at={of.started_at} />
        </span>
        {of.unit && (
          <span>
            {t('chain.unit')} <HostText text={of.unit} />
          </span>
        )}
        {of.container && (
          <span>
            {t('chain.container')} <HostText text={of.container} />
          </span>
        )}
        {of.sha256 && <Digest value={of.sha256} />}
      </div>
    </div>
  );
}
