// SPDX-License-Identifier: Apache-2.0
/** One alarm, on a page of its own. */
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { Page } from '@/parts/Page';
import { AlarmActions, AlarmTags, AlarmView } from './AlarmView';

export default function Alarm() {
  const { t } = useTranslation('alarms');
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const found = useGet('/api/v1/alarms/{id}', { path: { id } });
  return (
    <Shown of={found}>
      {(full) => (
        <Page
          title={full.summary.title}
          beside={<AlarmTags row={full.summary} />}
          crumbs={[{ to: '/alarms', name: t('title') }]}
          actions={<AlarmActions full={full} />}
        >
          <AlarmView key={id} full={full} />
        </Page>
      )}
    </Shown>
  );
}
