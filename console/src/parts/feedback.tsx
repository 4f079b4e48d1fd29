// SPDX-License-Identifier: Apache-2.0
/** What came of an order: done (and how to take it back), waits for a second person, refused, failed. */
import { Link } from '@tanstack/react-router';
import { App, Button } from 'antd';
import { createElement, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schema } from '@/api/types';
import { isKind } from '@/api/errors';
import { HostText } from './FileName';
import { trackTask } from './orderList';

type Ordered = Schema<'Ordered'>;

interface Undo {
  /** Takes it back; its own outcome is told by it. */
  undo?: () => Promise<unknown>;
  undoLabel?: string;
}

export interface Feedback {
  done: (text: ReactNode, undo?: Undo) => void;
  failed: (error: unknown, text?: string) => void;
  /** Of an order to hosts: follows its task, names what was refused. `title` says what was ordered. */
  ordered: (answer: Ordered, title: string, undo?: Undo) => void;
  /** Of a change that a second person may have to approve. True: it waits. */
  waits: (answer: unknown, title: string) => boolean;
}

let number = 0;

/** `/api/v1/approvals/ID` or an id. */
export function approvalId(approval: string): string {
  return approval.split('/').at(-1) ?? approval;
}

export function useFeedback(): Feedback {
  const { notification } = App.useApp();
  const { t } = useTranslation('parts');

  const failed: Feedback['failed'] = (error, text) => {
    const title = isKind(error, 'stale') ? t('feedback.stale') : (text ?? t('feedback.failed'));
    const said = error instanceof Error ? error.message : String(error);
    notification.error({ title, description: createElement(HostText, { text: said }), duration: 8, role: 'alert' });
  };

  const say = (title: ReactNode, description: ReactNode, undo: Undo | undefined, tone: 'success' | 'warning' = 'success') => {
    const key = `f${number++}`;
    const take = undo?.undo;
    notification[tone]({
      key,
      title,
      description,
      duration: take || description ? 10 : 4,
      role: 'status',
      actions: take && (
        <Button
          size="small"
          onClick={() => {
            notification.destroy(key);
            take().catch((e: unknown) => failed(e));
          }}
        >
          {undo?.undoLabel ?? t('feedback.undo')}
        </Button>
      ),
    });
  };

  const waiting = (approval: string, title: string) =>
    say(
      t('feedback.waits'),
      <>
        {title}{' '}
        <Link to="/approvals/$id" params={{ id: approvalId(approval) }}>
          {t('feedback.toApproval')}
        </Link>
      </>,
      undefined,
      'warning',
    );

  return {
    done: (text, undo) => say(text, undefined, undo),
    failed,
    waits: (answer, title) => {
      const approval = (answer as { approval?: unknown } | null | undefined)?.approval;
      if (typeof approval !== 'string' || approval === '') return false;
      waiting(approval, title);
      return true;
    },
    ordered: (answer, title, undo) => {
      if (answer.approval) {
        waiting(answer.approval, title);
        return;
      }
      if (answer.task) trackTask({ id: answer.task, title });
      const refused = answer.refused;
      const took = answer.done.length + answer.commands.length > 0;
      const lines = (
        <>
          {answer.task && (
            <div>
              {t('feedback.hosts', { count: answer.total })}{' '}
              <Link to="/orders/$id" params={{ id: answer.task }}>
                {t('feedback.follow')}
              </Link>
            </div>
          )}
          {refused.length > 0 && (
            <>
              <div>{t('feedback.refused', { count: refused.length })}</div>
              <ul className="refused">
                {refused.slice(0, 5).map((r, i) => (
                  <li key={i}>
                    <HostText text={refusalText(r)} />
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      );
      say(title, answer.task || refused.length ? lines : undefined, took ? undo : undefined, refused.length ? 'warning' : 'success');
    },
  };
}

function refusalText(refusal: Schema<'Refusal'>): string {
  return Object.values(refusal)
    .filter((v) => typeof v === 'string')
    .join(': ');
}
