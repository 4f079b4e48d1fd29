// SPDX-License-Identifier: Apache-2.0
/** The fleet at one glance; every number leads to the list behind it. */
import { useTranslation } from 'react-i18next';
import { Page } from '@/parts/Page';
import { AlarmsOverTime } from './AlarmsOverTime';
import { Standing } from './Standing';
import { Tiles } from './Tiles';
import { Waiting } from './Waiting';
import './dashboard.css';

export default function Dashboard() {
  const { t } = useTranslation('dashboard');
  return (
    <Page title={t('title')}>
      <Tiles />
      <Waiting />
      <AlarmsOverTime />
      <Standing />
    </Page>
  );
}
