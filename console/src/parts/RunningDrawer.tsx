// SPDX-License-Identifier: Apache-2.0
/** The drawer of orders that were begun in this browser. */
import { Button, Drawer } from 'antd';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { forgetTasks } from './orderList';
import { TaskLink, TaskProgress, type RunningTask } from './orders';
import { Time } from './Time';

export default function RunningDrawer({ running, onClose }: { running: RunningTask[]; onClose: () => void }) {
  const { t } = useTranslation('parts');
  const over = running.filter((r) => r.gone || r.task?.finished).map((r) => r.tracked.id);
  return (
    <Drawer
      open
      title={t('orders.title')}
      onClose={onClose}
      size={420}
      extra={
        over.length > 0 && (
          <Button size="small" onClick={() => forgetTasks(over)}>
            {t('orders.forget')}
          </Button>
        )
      }
    >
      {running.length === 0 && <p className="quiet">{t('orders.none')}</p>}
      <ul className="running">
        {running.map(({ tracked, task, gone }) => (
          <li key={tracked.id}>
            <div className="running-title">
              <TaskLink id={tracked.id} onClick={onClose}>
                {tracked.title}
              </TaskLink>
              <Time at={tracked.at} way="distance" />
            </div>
            {gone && <p className="quiet">{t('orders.gone')}</p>}
            {task && <TaskProgress task={task} />}
          </li>
        ))}
      </ul>
      <Link to="/orders" onClick={onClose}>
        {t('orders.all')}
      </Link>
    </Drawer>
  );
}
