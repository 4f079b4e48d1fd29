// SPDX-License-Identifier: Apache-2.0
/** Words for states, each with its colour. The word always stands there: colour alone says nothing. */
import { useTranslation } from 'react-i18next';

type Tone = 'critical' | 'high' | 'medium' | 'low' | 'good' | 'quiet';

export function Tag({ tone, children }: { tone: Tone; children: React.ReactNode }) {
  return <span className={`tag tag-${tone}`}>{children}</span>;
}

/** A word of the API in the reader's language; one that we do not know yet stands there as it is. */
export function useWord(): (kind: string, word: string | null | undefined) => string {
  const { t } = useTranslation('words');
  return (kind, word) => (word ? t(`${kind}.${word}`, { defaultValue: word }) : '-');
}

const SEVERITY: Record<string, Tone> = { critical: 'critical', high: 'high', medium: 'medium', low: 'low' };

export function Severity({ value }: { value: string }) {
  const word = useWord();
  return <Tag tone={SEVERITY[value] ?? 'quiet'}>{word('severity', value)}</Tag>;
}

/** The confidence against the thresholds in force, and the confidence itself. */
export function Rating({ value, confidence }: { value: string | null | undefined; confidence?: number | null }) {
  const word = useWord();
  if (!value) return <span className="none">-</span>;
  const tone: Tone = value === 'high' ? 'high' : value === 'medium' ? 'medium' : 'low';
  return (
    <span className="rating">
      <Tag tone={tone}>{word('rating', value)}</Tag>
      {typeof confidence === 'number' && <span className="rating-number">{confidence}</span>}
    </span>
  );
}

/** What each kind of state looks like; its words are `words:KIND.STATE`. */
const TONES: Record<string, Record<string, Tone>> = {
  handleStatus: { unhandled: 'high', handled: 'good' },
  hostStatus: {
    online: 'good',
    offline: 'medium',
    installing: 'low',
    installed: 'low',
    install_failed: 'high',
    not_installed: 'quiet',
  },
  protection: { full: 'good', partial: 'medium', none: 'high', unknown: 'quiet' },
  isolatedStatus: {
    isolated: 'good',
    isolated_in_place: 'medium',
    isolating: 'low',
    restoring: 'low',
    deleting: 'low',
    restored: 'quiet',
    deleted: 'quiet',
    isolate_failed: 'high',
    restore_failed: 'high',
    delete_failed: 'high',
  },
  commandState: {
    pending: 'low',
    sent: 'low',
    done: 'good',
    partial: 'medium',
    refused: 'medium',
    failed: 'high',
    expired: 'quiet',
    cancelled: 'quiet',
  },
  approvalState: { pending: 'medium', approved: 'good', rejected: 'high', cancelled: 'quiet', expired: 'quiet' },
  standing: { bad: 'high', clean: 'good', known_good: 'good', pending: 'low', unknown: 'quiet' },
  sampleState: { receiving: 'low', stored: 'good', failed: 'high', deleting: 'low', deleted: 'quiet' },
  deepScanState: { queued: 'low', scanning: 'low', done: 'good', set_aside: 'high', cancelled: 'quiet' },
  scanStatus: { scanning: 'low', paused: 'medium', finish: 'good' },
  scanHostStatus: { waiting: 'quiet', scanning: 'low', paused: 'medium', success: 'good', fail: 'high', cancel: 'quiet' },
  quotaStatus: { normal: 'good', expired: 'high', freeze: 'medium' },
  importance: { important: 'high', common: 'quiet', test: 'quiet' },
  contentState: { in_force: 'good', refused: 'high', fetching: 'low', checking: 'low', installed: 'quiet' },
};

export function Status({ kind, value }: { kind: string; value: string | null | undefined }) {
  const word = useWord();
  if (!value) return <span className="none">-</span>;
  return <Tag tone={TONES[kind]?.[value] ?? 'quiet'}>{word(kind, value)}</Tag>;
}

/** Options of a filter or a form, from words of the API. */
export function useOptions(): (kind: string, values: readonly string[]) => { value: string; label: string }[] {
  const word = useWord();
  return (kind, values) => values.map((value) => ({ value, label: word(kind, value) }));
}
