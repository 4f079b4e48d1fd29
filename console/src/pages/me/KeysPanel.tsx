// SPDX-License-Identifier: Apache-2.0
/** The own API keys, as far as they belong to the account; the page of API keys makes new ones. */
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { Shown } from '@/app/states';
import { Panel } from '@/parts/Page';
import { Time } from '@/parts/Time';
import { HostText } from '@/parts/FileName';

export function KeysPanel() {
  const { t } = useTranslation('me');
  const found = useGet('/api/v1/me/api-keys');
  return (
    <Panel title={t('tabs.keys')} extra={<Link to="/keys">{t('keys.all')}</Link>}>
      <Shown of={found}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet">{t('keys.none')}</p>
          ) : (
            <ul className="running">
              {items.map((k) => (
                <li key={k.id} className="running-title">
                  <HostText text={k.note || k.id} />
                  <Time at={k.last_used_at ?? k.created_at} />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}
