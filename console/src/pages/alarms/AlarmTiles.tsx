// SPDX-License-Identifier: Apache-2.0
/** Figures above the list, each a filter: unhandled by severity, handled, acted on by policy; and the types. */
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/hooks';
import type { Search } from '@/app/search';
import type { Filters } from '@/parts/filters';
import { numberText } from '@/parts/numbers';
import { useWord } from '@/parts/tags';
import { SEVERITIES, type AlarmQuery } from './fields';

interface Props {
  filters: Filters<AlarmQuery>;
  projectQuery: { project?: string };
}

/** What the tiles say themselves is not asked: each counts all of its kind. */
export function withoutTiles(query: Partial<AlarmQuery>): Partial<AlarmQuery> {
  const rest = { ...query };
  for (const name of ['severity', 'handle_status', 'class', 'auto_block'] as const) delete rest[name];
  return rest;
}

export function AlarmTiles({ filters, projectQuery }: Props) {
  const { t, i18n } = useTranslation('alarms');
  const word = useWord();
  const base = { ...withoutTiles(filters.query), ...projectQuery };
  const open = useGet('/api/v1/alarms/statistics', { query: { ...base, handle_status: 'unhandled' } }, { placeholderData: (before) => before });
  const all = useGet('/api/v1/alarms/statistics', { query: base }, { placeholderData: (before) => before });
  const auto = useGet('/api/v1/alarms/statistics', { query: { ...base, auto_block: true } }, { placeholderData: (before) => before });
  const { values } = filters;

  const bySeverity = Object.fromEntries((open.data?.by_severity ?? []).map((c) => [c.word, c.count]));
  const tiles: { id: string; name: string; value: number | undefined; sets: Search; tone?: string }[] = [
    { id: 'open', name: word('handleStatus', 'unhandled'), value: open.data?.total, sets: { handle_status: 'unhandled' } },
    ...SEVERITIES.map((s) => ({
      id: s,
      name: word('severity', s),
      value: open.data && (bySeverity[s] ?? 0),
      sets: { handle_status: 'unhandled', severity: s },
      tone: s,
    })),
    { id: 'handled', name: word('handleStatus', 'handled'), value: all.data?.handled, sets: { handle_status: 'handled' } },
    { id: 'auto', name: t('tile.auto'), value: auto.data?.total, sets: { auto_block: 'true' } },
    { id: 'all', name: t('tile.all'), value: all.data?.total, sets: {} },
  ];
  const none: Search = { handle_status: undefined, severity: undefined, auto_block: undefined };
  const isOn = (sets: Search) => Object.keys(none).every((k) => (values[k] ?? '') === (sets[k] ?? ''));

  const classes = (values.class ?? '').split(',').filter(Boolean);
  const counted = open.data?.by_class ?? [];
  const types = [...counted].filter((c) => c.word !== '').sort((a, b) => b.count - a.count);

  return (
    <>
      <div className="tiles" role="group" aria-label={t('tile.label')}>
        {tiles.map((tile) => {
          const number = tile.value === undefined ? '…' : numberText(tile.value, i18n.language);
          return (
            <button
              key={tile.id}
              type="button"
              className={`tile${isOn(tile.sets) ? ' tile-on' : ''}${tile.tone && tile.value ? ` tile-${tile.tone}` : ''}`}
              aria-pressed={isOn(tile.sets)}
              aria-label={`${tile.name}: ${number}`}
              onClick={() => filters.set({ ...none, ...tile.sets })}
            >
              <span className="tile-number">{number}</span>
              <span className="tile-name">{tile.name}</span>
            </button>
          );
        })}
      </div>
      {types.length > 0 && (
        <div className="types" role="group" aria-label={t('tile.types')}>
          <button type="button" className={classes.length === 0 ? 'type type-on' : 'type'} aria-pressed={classes.length === 0} onClick={() => filters.set({ class: undefined })}>
            {t('tile.everyType')}
          </button>
          {types.map((c) => {
            const on = classes.includes(c.word);
            return (
              <button key={c.word} type="button" className={on ? 'type type-on' : 'type'} aria-pressed={on} onClick={() => filters.set({ class: on ? undefined : c.word })}>
                {word('class', c.word)} <span>{numberText(c.count, i18n.language)}</span>
              </button>
            );
          })}
        </div>
      )}
    </>
  );
}
