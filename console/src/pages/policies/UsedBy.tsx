// SPDX-License-Identifier: Apache-2.0
/** The server groups that a policy group holds for, with their servers. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import { HostText } from '@/parts/FileName';
import { ListLink } from '@/parts/links';
import { totalText } from '@/parts/numbers';
import { Panel } from '@/parts/Page';
import { Shown } from '@/app/states';

function Count({ group }: { group: string }) {
  const { i18n, t } = useTranslation('policies');
  const found = useGet('/api/v1/hosts', { query: { group, limit: 1 } });
  if (!found.data) return null;
  return <>{t('hosts', { count: found.data.total, number: totalText(found.data.total, found.data.total_is_capped, i18n.language) })}</>;
}

export function useGroupsOf(policyGroup: string) {
  const found = useGet('/api/v1/host-groups');
  return { found, groups: (found.data?.items ?? []).filter((g) => g.policy_group === policyGroup) };
}

export function UsedBy({ id }: { id: string }) {
  const { t } = useTranslation('policies');
  const { found, groups } = useGroupsOf(id);
  return (
    <Panel title={t('usedBy')} extra={<ListLink to="/host-groups">{t('toGroups')}</ListLink>}>
      <Shown of={found}>
        {() =>
          groups.length === 0 ? (
            <p className="quiet">{t('unused')}</p>
          ) : (
            <ul className="plain-list">
              {groups.map((g) => (
                <li key={g.id}>
                  <ListLink to="/hosts" search={{ group: g.id }}>
                    <HostText text={g.name} />
                  </ListLink>{' '}
                  <span className="quiet"><Count group={g.id} /></span>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}
