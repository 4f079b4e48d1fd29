// SPDX-License-Identifier: Apache-2.0
/** An alarm beside its list. The address names it: `?alarm=ID`. */
import { Link } from '@tanstack/react-router';
import { Drawer } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { safeText } from '@/parts/FileName';
import { AlarmActions, AlarmTags, AlarmView } from './AlarmView';

export default function AlarmDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const { t } = useTranslation('alarms');
  const found = useGet('/api/v1/alarms/{id}', { path: { id } });
  const full = found.data;
  return (
    <Drawer
      open
      size="min(960px, 92vw)"
      className="alarm-drawer"
      onClose={onClose}
      title={full ? safeText(full.summary.title) : t('drawer.loading')}
      extra={
        <Link to="/alarms/$id" params={{ id }}>
          {t('drawer.page')}
        </Link>
      }
    >
      <Shown of={found}>
        {(it) => (
          <>
            <div className="drawer-head">
              <AlarmTags row={it.summary} />
              <span className="page-actions">
                <AlarmActions full={it} />
              </span>
            </div>
            <AlarmView key={id} full={it} />
          </>
        )}
      </Shown>
    </Drawer>
  );
}
