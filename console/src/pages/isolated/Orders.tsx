// SPDX-License-Identifier: Apache-2.0
/** What was ordered about a file, newest first, each with what its host said. */
import { Link } from '@tanstack/react-router';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { useCan } from '@/app/permissions';
import { Shown } from '@/app/states';
import { useFeedback } from '@/parts/feedback';
import { Panel } from '@/parts/Page';
import { Time } from '@/parts/Time';
import { useWord } from '@/parts/tags';
import { OrderOutcome, Receipt, Verified } from './Receipt';

const OPEN = ['pending', 'sent'];

export function Orders({ about, project }: { about: string; project: string }) {
  const { t } = useTranslation('isolated');
  const word = useWord();
  const can = useCan();
  const { done, failed } = useFeedback();
  const found = useGet('/api/v1/commands', { query: { about, limit: 50 } });
  const cancel = useSend('post', '/api/v1/commands/{id}/cancel', { changes: ['/api/v1/commands', '/api/v1/tasks', '/api/v1/isolated-files'] });
  const takeBack = (id: string) =>
    cancel.mutateAsync({ path: { id } }).then(
      () => done(t('tookBack', { count: 1 })),
      (e: unknown) => failed(e),
    );
  return (
    <Panel title={t('orders.title')}>
      <Shown of={found}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="quiet">{t('orders.none')}</p>
          ) : (
            <ul className="orders">
              {items.map((c) => (
                <li key={c.id} className="order">
                  <div className="order-head">
                    <span>{word('orderVerb', c.verb)}</span>
                    <OrderOutcome of={c} />
                    <span className="quiet">
                      {t('orders.by', { who: c.ordered_by })} <Time at={c.created_at} />
                    </span>
                    {c.task && (
                      <Link to="/orders/$id" params={{ id: c.task }}>
                        {t('orders.task')}
                      </Link>
                    )}
                    {OPEN.includes(c.state) && !c.cancel && can('operate', project) && (
                      <Button size="small" onClick={() => void takeBack(c.id)}>
                        {t('takeBack')}
                      </Button>
                    )}
                  </div>
                  {c.result?.receipt && <Receipt of={c.result.receipt} />}
                  {c.result?.verify && <Verified of={c.result.verify as never} />}
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}
