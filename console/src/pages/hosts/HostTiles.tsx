// SPDX-License-Identifier: Apache-2.0
/** How many servers of each kind; each number is the list behind it. */
import { useTranslation } from 'react-i18next';
import { HOST_WORDS, type HostKind, useHostCounts } from '@/parts/hostCounts';
import { ListLink } from '@/parts/links';
import { numberText } from '@/parts/numbers';
import { useWord } from '@/parts/tags';
import './hosts.css';

const KINDS: Record<HostKind, string> = { protection: 'protection', status: 'hostStatus', importance: 'importance' };
const BAD = new Set(['none', 'offline', 'install_failed']);

export function HostTiles() {
  const { t, i18n } = useTranslation('hosts');
  const word = useWord();
  const { data } = useHostCounts();

  const group = (name: HostKind) => {
    const count = (w: string) => data?.[name][w] ?? 0;
    const words: readonly string[] = HOST_WORDS[name];
    // What no server is takes no place, but for the words that everybody looks for.
    const shown = words.filter((w, i) => count(w) > 0 || i < (name === 'status' ? 2 : 3));
    return (
      <div className="tile-group">
        <h2>{t(`tiles.${name}`)}</h2>
        <div className="tile-line">
          {shown.map((w) => {
            const label = word(KINDS[name], w);
            const n = count(w);
            return (
              <ListLink key={w} to="/hosts" search={{ [name]: w }} label={`${label}: ${numberText(n, i18n.language)}`}>
                <span className={BAD.has(w) && n > 0 ? 'host-tile host-tile-bad' : 'host-tile'}>
                  <b>{data ? numberText(n, i18n.language) : '–'}</b> {label}
                </span>
              </ListLink>
            );
          })}
        </div>
      </div>
    );
  };

  return (
    <section className="panel host-tiles" aria-label={t('tiles.label')}>
      <div className="tile-group">
        <h2>{t('hosts.title')}</h2>
        <div className="tile-line">
          <ListLink to="/hosts" label={t('tiles.all', { number: numberText(data?.total ?? 0, i18n.language) })}>
            <span className="host-tile">
              <b>{data ? numberText(data.total, i18n.language) : '–'}</b> {t('tiles.total')}
            </span>
          </ListLink>
        </div>
      </div>
      {group('protection')}
      {group('status')}
      {group('importance')}
    </section>
  );
}
