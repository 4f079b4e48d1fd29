// SPDX-License-Identifier: Apache-2.0
/** Whether the dashboard reminds people while nothing acts by itself: below the switch that it is about. */
import { Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { useCan } from '@/app/permissions';
import { useFeedback } from '@/parts/feedback';
import { HostText } from '@/parts/FileName';
import { Time } from '@/parts/Time';

const REMINDERS = '/api/v1/projects/{project}/reminders';

export function RemindRow({ project }: { project: string }) {
  const { t } = useTranslation('security');
  const can = useCan();
  const { done, failed } = useFeedback();
  const found = useGet(REMINDERS, { path: { project } });
  const turn = useSend('put', REMINDERS, { changes: [REMINDERS] });
  const put = async (on: boolean) => {
    await turn.mutateAsync({ path: { project }, body: { reminders: on } });
  };
  const saidOf = (on: boolean) => t(on ? 'remind.on' : 'remind.off');
  const set = async (on: boolean) => {
    await put(on);
    done(saidOf(on), {
      undo: async () => {
        await put(!on);
        done(saidOf(!on));
      },
    });
  };
  const state = found.data;
  return (
    <div className="remind-row">
      <Switch
        size="small"
        // There before its answer is, so that nothing below moves.
        checked={state?.reminders ?? false}
        loading={found.isPending || turn.isPending}
        disabled={!state || !can('administer', project)}
        onChange={(on) => void set(on).catch(failed)}
        aria-label={t('remind.name')}
      />
      <span>{t('remind.name')}</span>
      <span className="switch-who">
        {state?.set_by && (
          <>
            {t('remind.by')} <HostText text={state.set_by} /> · <Time at={state.set_at} />
          </>
        )}
        {found.error && !state && <HostText text={found.error.message} />}
      </span>
    </div>
  );
}
