// SPDX-License-Identifier: Apache-2.0
/** Colours and measures, light and dark: dense, and with enough contrast for text of every kind. */
import { theme as antd, type ThemeConfig } from 'antd';

const SHARED = {
  fontSize: 13,
  borderRadius: 3,
  wireframe: false,
  controlHeight: 30,
  sizeStep: 3,
  lineHeight: 1.5,
  fontFamily:
    "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', sans-serif",
  fontFamilyCode: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Noto Sans Mono CJK SC', monospace",
  // A button that is busy is read all the same.
  opacityLoading: 1,
  motionDurationMid: '0.12s',
  motionDurationSlow: '0.16s',
};

const LIGHT = {
  colorPrimary: '#1456c8',
  colorLink: '#1456c8',
  colorSuccess: '#18794e',
  colorWarning: '#9a5b00',
  colorError: '#c2261c',
  colorInfo: '#1456c8',
  colorTextBase: '#191f2b',
  colorBgLayout: '#f2f4f8',
  colorTextSecondary: '#4a5365',
  colorTextTertiary: '#5b6476',
  colorTextDescription: '#5b6476',
  colorTextPlaceholder: '#667085',
  colorTextQuaternary: '#667085',
  colorIcon: '#5b6476',
  colorBorder: '#c3cad6',
  colorBorderSecondary: '#e1e5ec',
  // What the library derives from colours as dark as these is too light for white text, or grey.
  colorPrimaryHover: '#1a63df',
  colorLinkHover: '#1a63df',
  colorErrorHover: '#d8362b',
  colorSuccessBg: '#e7f6ee',
  colorSuccessBorder: '#93cdae',
  colorWarningBg: '#fff5de',
  colorWarningBorder: '#e6c37c',
  colorErrorBg: '#fdecea',
  colorErrorBorder: '#efb0aa',
  colorInfoBg: '#e8f0fe',
  colorInfoBorder: '#a5c2f3',
};

const DARK = {
  colorPrimary: '#3b7df0',
  colorLink: '#7aabff',
  colorSuccess: '#4cc38a',
  colorWarning: '#e3a33c',
  colorError: '#ff7b70',
  colorInfo: '#7aabff',
  colorTextBase: '#e8ebf1',
  colorBgBase: '#12161e',
  colorBgLayout: '#0c0f15',
  colorBgContainer: '#161b25',
  colorBgElevated: '#1d2430',
  colorTextSecondary: '#b3bccb',
  colorTextTertiary: '#a0aabb',
  colorTextDescription: '#a0aabb',
  colorTextPlaceholder: '#8c97aa',
  colorTextQuaternary: '#8c97aa',
  colorIcon: '#a0aabb',
  colorBorder: '#3d4759',
  colorBorderSecondary: '#2a3241',
};

export function themeOf(dark: boolean): ThemeConfig {
  return {
    // Not the library's compact one: its texts are too small to read all day.
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    token: { ...SHARED, ...(dark ? DARK : LIGHT) },
    components: {
      // White on the dark theme's blue has too little contrast with the default's lighter blue.
      Button: dark ? { primaryColor: '#ffffff', colorPrimary: '#2a66d0', colorPrimaryHover: '#2f6ddb', dangerColor: '#1a0d0c' } : {},
      // The chosen tab's name, like a link's.
      Tabs: dark ? { itemSelectedColor: '#7aabff', itemActiveColor: '#7aabff', itemHoverColor: '#a3c6ff', inkBarColor: '#7aabff' } : {},
      Tooltip: dark ? { colorBgSpotlight: '#38424f' } : {},
    },
  };
}

/** What our own style sheet needs; set on the document, so that it is right before the first render, too. */
export function dressDocument(dark: boolean): void {
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
}
