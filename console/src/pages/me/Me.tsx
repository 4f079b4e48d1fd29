// SPDX-License-Identifier: Apache-2.0
/** The own account: roles, password, second factor, sign-ins, keys of programs, language and theme. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Tabs } from 'antd';
import { useTranslation } from 'react-i18next';
import { useMe } from '@/app/session';
import { useFeedback } from '@/parts/feedback';
import { Page, Panel } from '@/parts/Page';
import { KeysPanel } from './KeysPanel';
import { PasswordChange } from './PasswordChange';
import { PersonPanel } from './PersonPanel';
import { SecondFactorPanel } from './SecondFactorPanel';
import { SessionsPanel } from './SessionsPanel';

export default function Me() {
  const { t } = useTranslation('me');
  const me = useMe();
  const { done } = useFeedback();
  const search = useSearch({ strict: false }) as { tab?: string };
  const navigate = useNavigate();
  return (
    <Page title={t('title')} beside={<span className="quiet">{me.name}</span>}>
      <Tabs
        activeKey={search.tab ?? 'person'}
        onChange={(tab) => void navigate({ to: '.', search: (s: object) => ({ ...s, tab }), replace: true })}
        items={[
          { key: 'person', label: t('tabs.person'), children: <PersonPanel /> },
          {
            key: 'password',
            label: t('tabs.password'),
            children: (
              <Panel title={t('password.title')}>
                <PasswordChange onDone={() => done(t('password.changed'))} />
              </Panel>
            ),
          },
          { key: 'factor', label: t('tabs.factor'), children: <SecondFactorPanel /> },
          { key: 'sessions', label: t('tabs.sessions'), children: <SessionsPanel /> },
          { key: 'keys', label: t('tabs.keys'), children: <KeysPanel /> },
        ]}
      />
    </Page>
  );
}
