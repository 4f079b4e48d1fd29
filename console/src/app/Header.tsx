// SPDX-License-Identifier: Apache-2.0
/** The bar on top: project, running orders, keys, language, theme, the person. */
import {
  BulbOutlined,
  DownOutlined,
  GlobalOutlined,
  MenuOutlined,
  QuestionCircleOutlined,
  UserOutlined,
} from '@ant-design/icons';
import { Link, useNavigate } from '@tanstack/react-router';
import { Dropdown, type MenuProps } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { LiveState } from '@/api/live';
import { RunningButton } from '@/parts/orders';
import { showKeys } from './Keyboard';
import type { Language } from './i18n';
import { setPreferences, usePreferences, type ThemeChoice } from './preferences';
import { useProject } from './project';
import { signOut, useMe } from './session';

interface Props {
  live: LiveState;
  menuOpen: boolean;
  onMenu: () => void;
}

export function Header({ live, menuOpen, onMenu }: Props) {
  const { t } = useTranslation('shell');
  return (
    <header className="top">
      <button type="button" className="top-button" aria-label={t('menu.toggle')} aria-expanded={menuOpen} onClick={onMenu}>
        <MenuOutlined aria-hidden />
      </button>
      <Link to="/" className="brand">
        <svg viewBox="0 0 32 32" width="20" height="20" aria-hidden>
          <path fill="#7aabff" d="M16 2 4 6v9c0 7.4 5.1 12.700 12 15 6.900-2.300 12-7.600 12-15V6z" />
          <path fill="#101826" d="M13 9h6v4h4v6h-4v4h-6v-4H9v-6h4z" />
        </svg>
        Lazaret
      </Link>
      <ProjectChooser />
      <span className="top-space" />
      <LiveMark state={live} />
      <RunningButton />
      <button type="button" className="top-button" aria-label={t('keys.title')} title={`${t('keys.title')} (?)`} onClick={showKeys}>
        <QuestionCircleOutlined aria-hidden />
      </button>
      <LanguageMenu />
      <ThemeMenu />
      <UserMenu />
    </header>
  );
}

function LiveMark({ state }: { state: LiveState }) {
  const { t } = useTranslation('shell');
  // `role=status` reads a change out; the word beside the dot says it without colour.
  return (
    <span className={`live live-${state}`} role="status" title={t(`live.${state}Text`)}>
      <span className="live-dot" aria-hidden />
      {t(`live.${state}`)}
    </span>
  );
}

function ProjectChooser() {
  const { t } = useTranslation('shell');
  const { project, choose } = useProject();
  const found = useGet('/api/v1/projects', {}, { staleTime: 60_000 });
  const projects = found.data?.items ?? [];
  const name = (id: string) => projects.find((p) => p.id === id)?.name ?? id;
  const items: MenuProps['items'] = [
    { key: '', label: t('project.all') },
    ...projects.map((p) => ({ key: p.id, label: p.name === p.id ? p.name : `${p.name} (${p.id})` })),
  ];
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: items.map((i) => ({ ...i, key: `p:${String(i?.key)}` }) as NonNullable<typeof i>),
        selectedKeys: [`p:${project ?? ''}`],
        onClick: ({ key }) => choose(key.slice(2) || undefined),
        className: 'long-menu',
      }}
    >
      <button type="button" className="top-button top-project" aria-haspopup="menu" aria-label={t('project.label')}>
        <span className="top-label">{t('project.label')}</span>
        {project === undefined ? t('project.all') : name(project)}
        <DownOutlined aria-hidden />
      </button>
    </Dropdown>
  );
}

const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', zh: '简体中文' };

export function LanguageMenu() {
  const { t } = useTranslation('shell');
  const { language } = usePreferences();
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: Object.entries(LANGUAGE_NAMES).map(([key, label]) => ({ key, label })),
        selectedKeys: [language],
        onClick: ({ key }) => setPreferences({ language: key as Language }),
      }}
    >
      <button type="button" className="top-button" aria-haspopup="menu" aria-label={t('language')} title={t('language')}>
        <GlobalOutlined aria-hidden /> {LANGUAGE_NAMES[language]}
      </button>
    </Dropdown>
  );
}

export function ThemeMenu() {
  const { t } = useTranslation('shell');
  const { theme } = usePreferences();
  const choices: ThemeChoice[] = ['light', 'dark', 'system'];
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: choices.map((key) => ({ key, label: t(`theme.${key}`) })),
        selectedKeys: [theme],
        onClick: ({ key }) => setPreferences({ theme: key as ThemeChoice }),
      }}
    >
      <button type="button" className="top-button" aria-haspopup="menu" aria-label={t('theme.label')} title={t('theme.label')}>
        <BulbOutlined aria-hidden />
      </button>
    </Dropdown>
  );
}

function UserMenu() {
  const { t } = useTranslation('shell');
  const me = useMe();
  const navigate = useNavigate();
  const go: Record<string, () => void> = {
    me: () => void navigate({ to: '/me' }),
    keys: () => void navigate({ to: '/keys' }),
    out: () => void signOut(),
  };
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'me', label: t('menu.me') },
          { key: 'keys', label: t('menu.keys') },
          { type: 'divider' },
          { key: 'out', label: t('signOut') },
        ],
        onClick: ({ key }) => go[key]?.(),
      }}
    >
      <button type="button" className="top-button" aria-haspopup="menu" aria-label={t('user', { name: me.name })}>
        <UserOutlined aria-hidden /> {me.name}
      </button>
    </Dropdown>
  );
}
