// SPDX-License-Identifier: Apache-2.0
/**
 * For the pages about alarms: the isolated file of one alarm with all that can be done with it
 * (`<IsolatedPanel id={alarm.isolated} />`), and the list of all in a drawer (`<IsolatedButton />`).
 */
import { Link } from '@tanstack/react-router';
import { Button, Drawer } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { useList } from '@/api/lists';
import { useProject } from '@/app/project';
import { Shown } from '@/app/states';
import { FileName, HostText } from '@/parts/FileName';
import { Facts, Panel } from '@/parts/Page';
import { Status } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { Actions } from './Actions';
import { IsolatedTable } from './IsolatedTable';
import { Receipt } from './Receipt';
import './isolated.css';

export function IsolatedPanel({ id }: { id: string }) {
  const { t } = useTranslation('isolated');
  const found = useGet('/api/v1/isolated-files/{id}', { path: { id } });
  const receipt = found.data?.commands.find((c) => c.result?.receipt)?.result?.receipt;
  return (
    <Panel
      title={t('panel.title')}
      extra={
        <Link to="/isolated/$id" params={{ id }}>
          {t('panel.all')}
        </Link>
      }
    >
      <Shown of={found}>
        {({ summary: s }) => (
          <>
            <Facts
              of={[
                [t('column.status'), <Status key="s" kind="isolatedStatus" value={s.status} />],
                [t('column.isolatedAt'), <Time key="t" at={s.isolated_at} />],
                [t('column.updated'), <Time key="u" at={s.updated_at} />],
                [t('column.reason'), s.reason ? <HostText key="r" text={s.reason} /> : null],
              ]}
            />
            <Facts wide of={[[t('column.path'), <FileName key="p" name={s.path} bytes={s.path_b64} copy />]]} />
            <div className="form-actions">
              <Actions of={s} size="small" />
            </div>
            {receipt && <Receipt of={receipt} />}
          </>
        )}
      </Shown>
    </Panel>
  );
}

export function IsolatedButton() {
  const { t } = useTranslation('isolated');
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('title')}</Button>
      <Drawer open={open} onClose={() => setOpen(false)} title={t('title')} size={1000} destroyOnHidden extra={<Link to="/isolated">{t('panel.page')}</Link>}>
        <AllIsolated />
      </Drawer>
    </>
  );
}

function AllIsolated() {
  const { projectQuery } = useProject();
  const rows = useList('/api/v1/isolated-files', { query: projectQuery }, (row) => row.id);
  return <IsolatedTable rows={rows} height={620} />;
}
