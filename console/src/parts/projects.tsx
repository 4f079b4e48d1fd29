// SPDX-License-Identifier: Apache-2.0
/** Enterprise projects by their names: in rows, in selects, and the one that a page of one project is about. */
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Rows } from '@/api/lists';
import { useCan, type Permission } from '@/app/permissions';
import { useProject } from '@/app/project';
import { HostText } from './FileName';

interface Named {
  id: string;
  label: string;
}

/** Those that the caller may see, with names that tell them apart. */
export function useProjects(): { projects: Named[]; nameOf: (id: string) => string; loading: boolean } {
  const found = useGet('/api/v1/projects', {}, { staleTime: 60_000 });
  const projects = (found.data?.items ?? []).map((p) => ({
    id: p.id,
    label: p.name === p.id ? p.name : `${p.name} (${p.id})`,
  }));
  return { projects, nameOf: (id) => projects.find((p) => p.id === id)?.label ?? id, loading: found.isPending };
}

/** A project's name in a row; without one: all of them. */
export function ProjectName({ id }: { id: string | null | undefined }) {
  const { nameOf } = useProjects();
  const { t } = useTranslation('shell');
  return id ? <HostText text={nameOf(id)} /> : <>{t('project.all')}</>;
}

/** The project that a page of one project is about: the chosen one, else `0`, else the first that is seen. */
export function useOneProject(): string | undefined {
  const { project } = useProject();
  const { projects } = useProjects();
  if (project) return project;
  return projects.some((p) => p.id === '0') ? '0' : projects[0]?.id;
}

/** Chooses it, for pages that are about one. */
export function ProjectChoice({ label, value }: { label: string; value: string | undefined }) {
  const { projects } = useProjects();
  const { choose } = useProject();
  return (
    <label className="project-choice">
      {label}{' '}
      <Select
        aria-label={label}
        value={value}
        onChange={(id: string) => choose(id)}
        options={projects.map((p) => ({ value: p.id, label: <HostText text={p.label} />, name: p.label }))}
        showSearch={{ optionFilterProp: 'name' }}
        popupMatchSelectWidth={false}
      />
    </label>
  );
}

/** Options for a form: projects where the caller has the permission. */
export function useProjectOptions(permission: Permission): { value: string; label: string }[] {
  const { projects } = useProjects();
  const can = useCan();
  return projects.filter((p) => can(permission, p.id)).map((p) => ({ value: p.id, label: p.label }));
}

/** Rows of a list that the server gives whole, filtered here. */
export function keepRows<T>(rows: Rows<T>, keep: (row: T) => boolean): Rows<T> {
  const kept = rows.rows.filter(keep);
  return { ...rows, rows: kept, total: kept.length, everything: (limit) => Promise.resolve(kept.slice(0, limit)) };
}

/** Whether one of the texts holds the searched one, whatever its case. */
export function holds(searched: unknown, ...texts: (string | null | undefined)[]): boolean {
  if (typeof searched !== 'string' || searched === '') return true;
  const small = searched.toLowerCase();
  return texts.some((text) => text?.toLowerCase().includes(small));
}
