// SPDX-License-Identifier: Apache-2.0
/** Which editions get what, of what the switches above turn. */
import { CheckOutlined } from '@ant-design/icons';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { Shown } from '@/app/states';
import { ListLink } from '@/parts/links';
import { Panel } from '@/parts/Page';
import { useWord } from '@/parts/tags';

type Edition = Schema<'Edition'>;

const ROWS: [string, (e: Edition) => boolean][] = [
  ['malwareAlarms', (e) => e.malware_alarms],
  ['isolation', (e) => e.automatic_isolation],
  ['cloudScan', (e) => e.cloud_scan],
  ['quickScan', (e) => e.scans.includes('quick')],
  ['allScans', (e) => e.scans.includes('full')],
];

export function EditionsTable() {
  const { t } = useTranslation('security');
  const word = useWord();
  const found = useGet('/api/v1/editions', {}, { staleTime: Infinity });
  return (
    <Panel title={t('editions.title')} extra={<ListLink to="/quotas">{t('editions.quotas')}</ListLink>}>
      <Shown of={found}>
        {({ items }) => (
          <div className="editions-box" tabIndex={0} role="region" aria-label={t('editions.title')}>
            <table className="editions">
              <thead>
                <tr>
                  <th scope="col">{t('editions.what')}</th>
                  {items.map((e) => (
                    <th key={e.name} scope="col">{word('edition', e.name)}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {ROWS.map(([name, has]) => (
                  <tr key={name}>
                    <th scope="row">{t(`editions.${name}`)}</th>
                    {items.map((e) => (
                      <td key={e.name}>{has(e) ? <CheckOutlined aria-label={t('editions.yes')} /> : <span className="none" role="img" aria-label={t('editions.no')}>-</span>}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Shown>
      <p className="quiet">{t('editions.note')}</p>
    </Panel>
  );
}
