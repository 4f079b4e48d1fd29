// SPDX-License-Identifier: Apache-2.0
/** Says where malicious programs are not isolated and killed by themselves, until somebody does not want to hear it. */
import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import { useCan } from '@/app/permissions';
import { useAttempt } from '@/parts/attempt';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { ListLink } from '@/parts/links';
import { useProjects } from '@/parts/projects';
import { REMINDERS } from './reminders';

export function Reminder({ projects }: { projects: string[] }) {
  const { t } = useTranslation('dashboard');
  const { nameOf } = useProjects();
  const can = useCan();
  const { done } = useFeedback();
  const { busy, error, attempt } = useAttempt();
  const set = useSend('put', REMINDERS, { changes: [REMINDERS] });
  const own = projects.filter((id) => can('administer', id));
  const named = (ids: readonly string[]) => ids.map(nameOf).join(', ');

  const put = (project: string, reminders: boolean) => set.mutateAsync({ path: { project }, body: { reminders } });
  const again = async (ids: readonly string[]) => {
    for (const id of ids) await put(id, true);
    done(<HostText text={t('reminder.again', { projects: named(ids) })} />);
  };
  const stop = async () => {
    const stopped: string[] = [];
    try {
      for (const id of own) {
        await put(id, false);
        stopped.push(id);
      }
    } finally {
      // What was done before one failed can be taken back too.
      if (stopped.length > 0) {
        done(<HostText text={t('reminder.stopped', { projects: named(stopped) })} />, { undo: () => again(stopped) });
      }
    }
  };

  return (
    <Alert
      type="warning"
      showIcon
      role="note"
      className="reminder"
      title={<HostText text={t('reminder.text', { projects: named(projects) })} />}
      description={error && <div role="alert"><HostText text={error} /></div>}
      action={
        <div className="reminder-ways">
          <ListLink to="/install/security" search={{ project: projects[0] }}>{t('reminder.security')}</ListLink>
          {own.length > 0 && (
            <Button size="small" loading={busy} onClick={() => void attempt(stop)}>
              {t('reminder.stop')}
            </Button>
          )}
        </div>
      }
    />
  );
}
