// SPDX-License-Identifier: Apache-2.0
/** Programs and scripts of a project's servers by their content: what each is known to be, and where it is. */
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useList } from '@/api/lists';
import type { QueryOf, Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { DataTable, type Column } from '@/parts/DataTable';
import { HostText } from '@/parts/FileName';
import { FilterBar } from '@/parts/FilterBar';
import { useFilters, type FilterField } from '@/parts/filters';
import { ListLink } from '@/parts/links';
import { numberText, sizeText } from '@/parts/numbers';
import { Page } from '@/parts/Page';
import { Rating, Status, Tag, useOptions, useWord } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { OfHost, useOfHost } from '@/pages/isolated/linked';
import { CLASSES } from './classes';
import { NewVerdict } from './NewVerdict';
import { RescanButton } from './RescanButton';
import { DigestLink } from './DigestLink';
import { About, ProgramTabs, useOwnProject } from './tabs';

type Row = Schema<'FileItem'>;
type Query = QueryOf<'/api/v1/files'>;

const STANDINGS = ['bad', 'pending', 'clean', 'unknown'];

/** The beginning of a digest; anything else would be refused as a whole. */
function digestStart(query: Partial<Query>): Partial<Query> {
  const sha256 = query.sha256?.toLowerCase();
  if (sha256 === undefined) return query;
  return { ...query, sha256: /^[0-9a-f]{1,64}$/.test(sha256) ? sha256 : undefined };
}

export default function Programs() {
  const { t, i18n } = useTranslation('programs');
  const word = useWord();
  const options = useOptions();
  const navigate = useNavigate();
  const can = useCan();
  const project = useOwnProject();
  const fields = useMemo<FilterField[]>(
    () => [
      { name: 'path', kind: 'search', label: t('filter.path') },
      { name: 'standing', kind: 'many', label: t('filter.standing'), options: options('standing', STANDINGS) },
      { name: 'class', kind: 'one', label: t('filter.class'), options: options('class', CLASSES) },
      { name: 'sha256', kind: 'text', label: t('filter.sha256') },
    ],
    // New words mean a new `t`.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [t],
  );
  const filters = useFilters<Query>(fields);
  const ofHost = useOfHost();
  const rows = useList('/api/v1/files', { query: { ...digestStart(filters.query), ...ofHost.query, project } }, (row) => row.sha256);
  const columns: Column<Row>[] = [
    {
      id: 'sha256',
      title: t('column.sha256'),
      width: 170,
      grow: 0,
      render: (row) => <DigestLink sha256={row.sha256} />,
      csv: (row) => row.sha256,
    },
    { id: 'standing', title: t('column.standing'), width: 130, grow: 0, render: (row) => <Status kind="standing" value={row.standing} />, csv: (row) => word('standing', row.standing) },
    {
      id: 'verdict',
      title: t('column.verdict'),
      width: 220,
      grow: 2,
      render: (row) =>
        row.verdict ? (
          <span className="tags">
            <Rating value={row.verdict.rating} confidence={row.verdict.confidence} />
            {word('class', row.verdict.class)} <HostText text={row.verdict.family} />
          </span>
        ) : (
          <span className="none">-</span>
        ),
      csv: (row) => (row.verdict ? `${word('class', row.verdict.class)} ${row.verdict.family} ${row.verdict.confidence}` : ''),
    },
    { id: 'settled', title: t('column.settled'), width: 110, grow: 0, render: (row) => (row.settled ? <Tag tone="low">{t('byPerson')}</Tag> : '-'), csv: (row) => (row.settled ? t('byPerson') : '') },
    { id: 'kind', title: t('column.kind'), width: 110, grow: 0, render: (row) => word('fileKind', row.kind), csv: (row) => word('fileKind', row.kind) },
    { id: 'size', title: t('column.size'), width: 90, grow: 0, align: 'right', render: (row) => sizeText(row.size, i18n.language), csv: (row) => row.size },
    { id: 'hosts', title: t('column.hosts'), width: 80, grow: 0, align: 'right', render: (row) => numberText(row.hosts, i18n.language), csv: (row) => row.hosts },
    { id: 'packaged', title: t('column.packaged'), width: 100, grow: 0, align: 'right', hidden: true, render: (row) => numberText(row.packaged_hosts, i18n.language), csv: (row) => row.packaged_hosts },
    { id: 'first', title: t('column.first'), width: 160, grow: 0, render: (row) => <Time at={row.first_seen_at} />, csv: (row) => row.first_seen_at },
    { id: 'last', title: t('column.last'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.last_seen_at} />, csv: (row) => row.last_seen_at },
    { id: 'since', title: t('column.since'), width: 160, grow: 0, hidden: true, render: (row) => <Time at={row.standing_since} />, csv: (row) => row.standing_since },
    { id: 'tlsh', title: 'TLSH', width: 200, hidden: true, render: (row) => <code>{row.tlsh ?? '-'}</code>, csv: (row) => row.tlsh },
  ];
  return (
    <Page
      title={t('programs.heading')}
      about={<About>{t('programs.about')}</About>}
      tabs={<ProgramTabs />}
      actions={can('administer', project) && <NewVerdict project={project} />}
    >
      <FilterBar id="programs" of={filters} />
      <OfHost of={ofHost} />
      <DataTable
        id="programs"
        label={t('programs.title')}
        rows={rows}
        idOf={(row) => row.sha256}
        columns={columns}
        filtered={filters.active > 0 || ofHost.active}
        onClearFilters={filters.clear}
        onOpen={(row) => void navigate({ to: '/programs/$id', params: { id: row.sha256 } })}
        empty={
          <>
            {t('programs.empty')} <ListLink to="/install/security">{t('programs.toSwitch')}</ListLink>
          </>
        }
        batch={
          can('operate', project)
            ? (chosen, clear) => <RescanButton project={project} files={chosen.map((f) => f.sha256)} onDone={clear} button={{ size: 'small' }} />
            : undefined
        }
      />
    </Page>
  );
}
