// SPDX-License-Identifier: Apache-2.0
/** Who one is and what one may do; how the console speaks and looks in this browser. */
import { Radio } from 'antd';
import { useTranslation } from 'react-i18next';
import { setPreferences, usePreferences, type ThemeChoice } from '@/app/preferences';
import { useMe } from '@/app/session';
import type { Language } from '@/app/i18n';
import { Facts, Panel } from '@/parts/Page';
import { Tag, useWord } from '@/parts/tags';

export function PersonPanel() {
  const { t } = useTranslation('me');
  const { t: shell } = useTranslation('shell');
  const word = useWord();
  const me = useMe();
  const { language, theme } = usePreferences();
  const roles = me.grants.map((g) => (
    <Tag key={`${g.project} ${g.role}`} tone="quiet">
      {word('role', g.role)} · {g.project === '*' ? t('person.everywhere') : g.project}
    </Tag>
  ));
  return (
    <>
      <Panel title={t('tabs.person')}>
        <Facts of={[[t('person.name'), me.name], [t('person.roles'), <span className="tags" key="roles">{roles}</span>]]} />
      </Panel>
      <Panel title={t('person.likes')}>
        <Facts
          of={[
            [
              t('person.language'),
              <Radio.Group
                key="language"
                aria-label={t('person.language')}
                value={language}
                onChange={(e) => setPreferences({ language: e.target.value as Language })}
                options={[
                  { value: 'en', label: 'English' },
                  { value: 'zh', label: '简体中文' },
                ]}
              />,
            ],
            [
              t('person.theme'),
              <Radio.Group
                key="theme"
                aria-label={t('person.theme')}
                value={theme}
                onChange={(e) => setPreferences({ theme: e.target.value as ThemeChoice })}
                options={(['light', 'dark', 'system'] as const).map((value) => ({ value, label: shell(`theme.${value}`) }))}
              />,
            ],
          ]}
        />
      </Panel>
    </>
  );
}
