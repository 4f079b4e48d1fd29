// SPDX-License-Identifier: Apache-2.0
/** Handle: all ten verbs, what the chosen one touches, a remark, and the rule where one is made. */
import { Alert, Button, Modal, Radio } from 'antd';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSend } from '@/api/hooks';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { useAttempt } from '@/parts/attempt';
import { useFeedback } from '@/parts/feedback';
import { FileName, HostText } from '@/parts/FileName';
import { useWord } from '@/parts/tags';
import { TextArea } from '@/parts/TextArea';
import { bodyOf, ruleOf, wrongOf, type Exe } from '@/pages/whitelist/rule';
import { RestoreOffer } from '@/pages/whitelist/RestoreOffer';
import { RuleFields } from '@/pages/whitelist/RuleFields';
import { IsolatePreview } from './IsolatePreview';
import { HANDLING_CHANGES, useHandle } from './useHandle';
import { BACK, FORTH, firstVerb, fits, isDangerous, whyUnfit, type AlarmRow, type Verb } from './verbs';

interface Props {
  alarms: readonly AlarmRow[];
  /** Stands chosen at the beginning. */
  verb?: Verb;
  /** File of the acting process, for a rule about it. */
  exe?: Exe;
  onClose: () => void;
  onDone?: () => void;
}

const NAMED = 6;

/** Open as long as it is there: its owner shows it or not. */
export function HandleDialog({ alarms, verb: wanted, exe, onClose, onDone }: Props) {
  const { t } = useTranslation('alarms');
  const word = useWord();
  const can = useCan();
  const handle = useHandle();
  const { done } = useFeedback();
  const id = useId();
  const [only] = alarms;
  const single = alarms.length === 1 && only ? only : null;
  const [verb, setVerb] = useState<Verb>(() => firstVerb(alarms, wanted));
  const [remark, setRemark] = useState('');
  const { busy, error, attempt } = useAttempt();
  const mayRule = single !== null && can('administer', single.project);
  const [wide, setWide] = useState<'host' | 'rule'>('host');
  const [rule, setRule] = useState(() => (single ? ruleOf(single) : null));
  const [offered, setOffered] = useState<Schema<'Added'> | null>(null);
  const add = useSend('post', '/api/v1/whitelist', { changes: HANDLING_CHANGES });
  const drop = useSend('delete', '/api/v1/whitelist/{id}', { changes: HANDLING_CHANGES });

  const some = alarms.filter((a) => fits(a, verb));
  const ruled = verb === 'add_to_alarm_whitelist' && wide === 'rule' && mayRule && rule !== null;
  const ready = some.length > 0 && (!ruled || wrongOf(rule) === null);

  const run = () =>
    attempt(async () => {
      if (ruled && single) {
        const added = await add.mutateAsync({ body: bodyOf(rule) });
        // The rule is the server's; the alarm is closed by a handling that hosts of every state take.
        await handle([single], 'mark_as_handled', remark.trim() || t('handle.ruleRemark', { reason: rule.description.trim() }).slice(0, 512));
        done(t('handle.ruleAdded'), {
          undoLabel: t('handle.ruleUndo'),
          undo: () => drop.mutateAsync({ path: { id: added.entry.id }, query: { restore_alarm: true } }),
        });
        onDone?.();
        if (added.isolated.length > 0) setOffered(added);
        else onClose();
        return;
      }
      await handle(some, verb, remark.trim());
      onDone?.();
      onClose();
    });

  if (offered) return <RestoreOffer added={offered} onClose={onClose} />;

  const choice = (one: Verb) => {
    const count = alarms.filter((a) => fits(a, one)).length;
    const why = single ? whyUnfit(single, one) : count === 0 && only ? whyUnfit(only, one) : null;
    return (
      <Radio key={one} value={one} disabled={count === 0}>
        <span className={isDangerous(one) ? 'verb verb-danger' : 'verb'}>{word('verb', one)}</span>
        <span className="verb-about">{why ? t(`unfit.${why}`) : t(`about.${one}`)}</span>
        {!single && count > 0 && count < alarms.length && (
          <span className="verb-count">{t('handle.fits', { count, all: alarms.length })}</span>
        )}
      </Radio>
    );
  };

  return (
    <Modal
      open
      width={760}
      title={single ? t('handle.title') : t('handle.titleMany', { count: alarms.length })}
      mask={{ closable: false }}
      onCancel={busy ? undefined : onClose}
      footer={[
        <Button key="no" disabled={busy} onClick={onClose}>
          {t('handle.cancel')}
        </Button>,
        <Button key="yes" type="primary" danger={isDangerous(verb)} loading={busy} disabled={!ready} onClick={() => void run()}>
          {single ? word('verb', verb) : t('handle.do', { verb: word('verb', verb), count: some.length })}
        </Button>,
      ]}
    >
      <ul className="confirm-names">
        {alarms.slice(0, NAMED).map((a) => (
          <li key={a.id}>
            <HostText text={a.host.name} /> <FileName name={a.path ?? a.title} bytes={a.path_b64} />
          </li>
        ))}
        {alarms.length > NAMED && <li>{t('handle.more', { count: alarms.length - NAMED })}</li>}
      </ul>
      <Radio.Group className="verbs" aria-label={t('handle.verb')} value={verb} onChange={(e) => setVerb(e.target.value as Verb)}>
        <fieldset>
          <legend>{t('handle.forth')}</legend>
          {FORTH.map(choice)}
        </fieldset>
        <fieldset>
          <legend>{t('handle.back')}</legend>
          {BACK.map(choice)}
        </fieldset>
      </Radio.Group>
      {verb === 'isolate_and_kill' && single && <IsolatePreview alarm={single.id} />}
      {verb === 'isolate_and_kill' && !single && (
        <Alert
          type="warning"
          showIcon
          title={t('handle.many', { count: some.length, hosts: new Set(some.map((a) => a.host.id)).size })}
        />
      )}
      {verb === 'add_to_alarm_whitelist' && single && (
        <section className="preview">
          <Radio.Group value={wide} aria-label={t('handle.whitelist')} onChange={(e) => setWide(e.target.value as 'host' | 'rule')}>
            <Radio value="host">{t('handle.onHost')}</Radio>
            <Radio value="rule" disabled={!mayRule}>
              {t('handle.byRule')}
            </Radio>
          </Radio.Group>
          {!mayRule && <p className="quiet">{t('handle.ruleNeeds')}</p>}
          {ruled && <RuleFields rule={rule} onChange={setRule} alarm={single} exe={exe} />}
        </section>
      )}
      <div className="form-line">
        <label htmlFor={id}>{t('handle.remark')}</label>
        <div className="form-field">
          <TextArea id={id} value={remark} maxLength={512} least={2} most={5} onChange={(e) => setRemark(e.target.value)} />
        </div>
      </div>
      {error && <Alert type="error" showIcon role="alert" title={<HostText text={error} />} />}
    </Modal>
  );
}
