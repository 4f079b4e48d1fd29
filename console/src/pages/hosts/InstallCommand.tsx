// SPDX-License-Identifier: Apache-2.0
/** The line that makes a machine a server of the fleet. Its token is shown this once; `c` copies the line. */
import { Alert, App, Button } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { copyText } from '@/parts/copyText';
import { CopyButton } from '@/parts/CopyButton';
import { Facts } from '@/parts/Page';
import { Time } from '@/parts/Time';
import { useGroups, useProjectNames } from './names';
import './hosts.css';

interface Props {
  made: Schema<'EnrolmentTokenSecret'>;
  /** The agent is on the machine already: the shorter line comes first. */
  installed?: boolean;
  onClose: () => void;
}

export function InstallCommand({ made, installed, onClose }: Props) {
  const { t } = useTranslation('hosts');
  const { message } = App.useApp();
  const groups = useGroups();
  const projects = useProjectNames();
  const { enrolment_token: token } = made;
  const lines: [string, string][] = [
    [t('install.fresh'), made.install],
    [t('install.enrol'), made.enrol],
  ];
  if (installed) lines.reverse();
  const first = lines[0]?.[1] ?? made.install;

  const copy = async () => {
    if (await copyText(first)) message.success(t('install.copied'));
    else message.warning(t('install.notCopied'));
  };
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key !== 'c' || e.ctrlKey || e.metaKey || e.altKey) return;
      if (e.target instanceof HTMLElement && /^(INPUT|TEXTAREA)$/.test(e.target.tagName)) return;
      e.preventDefault();
      void copy();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [first]);

  return (
    <>
      <Alert type="warning" showIcon title={t('install.once')} description={t('install.onceText')} className="door-error" />
      {lines.map(([title, line], i) => (
        <div key={title}>
          <p className="command-title">{title}</p>
          <div className="command" data-command={i === 0 ? 'first' : 'second'}>
            {line}
            {i > 0 && <CopyButton text={line} label={t('install.copyThis')} />}
          </div>
        </div>
      ))}
      <Facts
        of={[
          [t('column.project'), projects.name(token.project)],
          [t('column.group'), token.group ? (groups.of(token.group)?.name ?? token.group) : null],
          [t('install.validUntil'), <Time key="t" at={token.expires_at} />],
          [t('install.uses'), token.uses_left ?? t('install.anyUses')],
          [t('install.server'), <code key="s">{made.server}</code>],
          [t('install.fingerprint'), <code key="f">{made.ca_fingerprint}</code>],
        ]}
        wide
      />
      <div className="form-actions">
        <Button type="primary" autoFocus onClick={() => void copy()}>
          {t('install.copy')} <kbd>C</kbd>
        </Button>
        <Button onClick={onClose}>{t('install.close')}</Button>
      </div>
    </>
  );
}
