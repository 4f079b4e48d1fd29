// SPDX-License-Identifier: Apache-2.0
/** For the pages about alarms: all isolated files of the chosen project in a drawer, with what can be done with them. */
import { Link } from '@tanstack/react-router';
import { Drawer } from 'antd';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import { useProject } from '@/app/project';
import { IsolatedTable } from './IsolatedTable';
import './isolated.css';

export default function IsolatedDrawer({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('isolated');
  const { project, projectQuery } = useProject();
  const rows = useList('/api/v1/isolated-files', { query: projectQuery }, (row) => row.id);
  return (
    <Drawer
      open
      size="min(1100px, 96vw)"
      onClose={onClose}
      title={t('title')}
      extra={
        <Link to="/isolated" search={{ project }}>
          {t('panel.page')}
        </Link>
      }
    >
      <IsolatedTable rows={rows} height={620} />
    </Drawer>
  );
}
