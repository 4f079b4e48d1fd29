// SPDX-License-Identifier: Apache-2.0
/** A secret that is shown this once: closes only when the reader says that it is kept. */
import { Alert, Button, Modal } from 'antd';
import type { ReactNode } from 'react';
import { CopyButton } from './CopyButton';

interface Props {
  title: string;
  secret: string;
  /** In a warning above it. */
  once: string;
  text: ReactNode;
  copy: string;
  kept: string;
  onClose: () => void;
}

export function SecretOnce({ title, secret, once, text, copy, kept, onClose }: Props) {
  return (
    <Modal open title={title} footer={null} mask={{ closable: false }} closable={false} keyboard={false}>
      <Alert type="warning" showIcon title={once} description={text} />
      <p className="key-secret">
        <code className="secret">{secret}</code> <CopyButton text={secret} label={copy} />
      </p>
      <Button type="primary" onClick={onClose} autoFocus>
        {kept}
      </Button>
    </Modal>
  );
}
