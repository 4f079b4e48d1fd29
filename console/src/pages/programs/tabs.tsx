// SPDX-License-Identifier: Apache-2.0
/** The three lists of Malware Cloud Scan, and the project that they are about. */
import { useTranslation } from 'react-i18next';
import { useProject } from '@/app/project';
import { PageTabs } from '@/parts/Page';
import { HostText } from '@/parts/FileName';

export function ProgramTabs() {
  const { t } = useTranslation('programs');
  return (
    <PageTabs
      label={t('tabs')}
      tabs={[
        { to: '/programs', name: t('programs.title') },
        { to: '/samples', name: t('samples.title') },
        { to: '/deep-scans', name: t('deepScans.title') },
      ]}
    />
  );
}

/** What is known of contents is a project's own: without a choice it is the first project's. */
export const DEFAULT_PROJECT = '0';

export function useOwnProject(): string {
  return useProject().project ?? DEFAULT_PROJECT;
}

/** Says whose files these are. */
export function About({ children }: { children: React.ReactNode }) {
  const { t } = useTranslation('programs');
  const { project } = useProject();
  return (
    <>
      {children} {t('ofProject')} <HostText text={project ?? DEFAULT_PROJECT} />
      {t('stop')}
    </>
  );
}
