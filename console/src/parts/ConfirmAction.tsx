// SPDX-License-Identifier: Apache-2.0
/** Dangerous things: says what they touch, asks once, shows what went wrong where it was asked. */
import { Alert, Button, Modal, type ButtonProps } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useAttempt } from './attempt';
import { FileName } from './FileName';
import { numberText } from './numbers';

interface Ask {
  title: string;
  /** What will happen, in a sentence. */
  text?: ReactNode;
  /** What it touches, by name; a host's words are shown safely. */
  names?: readonly string[];
  /** How many there are, where `names` are some of them only. */
  total?: number;
  /** Word on the button: the verb, never "OK". */
  verb: string;
  danger?: boolean;
  /** Fields of its own: a remark, choices. */
  children?: ReactNode;
  /** Not before the fields are right. */
  ready?: boolean;
  /** Does it; what it throws is shown in the dialog, which stays open. */
  action: () => Promise<unknown>;
}

const SHOWN = 8;

/** For menus and batch bars; opened by its owner. */
export function ConfirmDialog({ open, onClose, ...ask }: Ask & { open: boolean; onClose: () => void }) {
  const { t, i18n } = useTranslation('parts');
  const { busy, error, attempt, forget } = useAttempt();
  const total = ask.total ?? ask.names?.length ?? 0;

  const close = () => {
    forget();
    onClose();
  };
  const run = () =>
    attempt(async () => {
      await ask.action();
      close();
    });

  return (
    <Modal
      open={open}
      title={ask.title}
      onCancel={busy ? undefined : close}
      mask={{ closable: false }}
      destroyOnHidden
      footer={[
        <Button key="no" onClick={close} disabled={busy}>
          {t('cancel')}
        </Button>,
        <Button
          key="yes"
          type="primary"
          danger={ask.danger}
          loading={busy}
          disabled={ask.ready === false}
          onClick={() => void run()}
        >
          {ask.verb}
        </Button>,
      ]}
    >
      {ask.text && <div className="confirm-text">{ask.text}</div>}
      {ask.names && ask.names.length > 0 && (
        <ul className="confirm-names">
          {ask.names.slice(0, SHOWN).map((n, i) => (
            <li key={i}>
              <FileName name={n} />
            </li>
          ))}
          {total > SHOWN && <li>{t('confirm.more', { count: total - SHOWN, number: numberText(total - SHOWN, i18n.language) })}</li>}
        </ul>
      )}
      {ask.children}
      {error && <Alert type="error" showIcon title={error} role="alert" />}
    </Modal>
  );
}

/** A button that asks. */
export function ConfirmAction({ label, button, ...ask }: Ask & { label: ReactNode; button?: ButtonProps }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button danger={ask.danger} {...button} onClick={() => setOpen(true)}>
        {label}
      </Button>
      <ConfirmDialog open={open} onClose={() => setOpen(false)} {...ask} />
    </>
  );
}
