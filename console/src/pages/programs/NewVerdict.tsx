// SPDX-License-Identifier: Apache-2.0
/** A content that no server has told of can be called bad too: by its digest. */
import { useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SayBad } from './SayBad';

export function NewVerdict({ project }: { project: string }) {
  const { t } = useTranslation('programs');
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('bad.new')}</Button>
      <SayBad
        open={open}
        onClose={() => setOpen(false)}
        project={project}
        onSaid={(sha256) => void navigate({ to: '/programs/$id', params: { id: sha256 } })}
      />
    </>
  );
}
