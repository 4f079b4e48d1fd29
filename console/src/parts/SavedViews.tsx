// SPDX-License-Identifier: Apache-2.0
/** Saved views of a list: take one, keep the filters that are on under a name, forget one. */
import { DeleteOutlined, StarOutlined } from '@ant-design/icons';
import { Button, Input, Popover } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Filters } from './filters';
import { loadViews, storeViews, withView, type SavedView } from './views';

export function SavedViews({ list, of }: { list: string; of: Filters }) {
  const { t } = useTranslation('parts');
  const [open, setOpen] = useState(false);
  const [views, setViews] = useState(() => loadViews(list));
  const [name, setName] = useState('');

  const keep = (next: SavedView[]) => {
    setViews(next);
    storeViews(list, next);
  };
  const save = () => {
    if (!name.trim()) return;
    keep(withView(views, { name: name.trim(), values: of.values }));
    setName('');
  };

  const content = (
    <div className="views">
      {views.length === 0 && <p className="quiet">{t('views.none')}</p>}
      <ul>
        {views.map((v) => (
          <li key={v.name}>
            <button
              type="button"
              className="link"
              onClick={() => {
                of.replace(v.values);
                setOpen(false);
              }}
            >
              {v.name}
            </button>
            <Button
              size="small"
              type="text"
              icon={<DeleteOutlined />}
              aria-label={t('views.forget', { name: v.name })}
              onClick={() => keep(views.filter((o) => o.name !== v.name))}
            />
          </li>
        ))}
      </ul>
      <div className="views-new">
        <Input
          value={name}
          maxLength={60}
          placeholder={t('views.name')}
          aria-label={t('views.name')}
          onChange={(e) => setName(e.target.value)}
          onPressEnter={save}
        />
        <Button disabled={!name.trim() || of.active === 0} onClick={save}>
          {t('views.save')}
        </Button>
      </div>
      {of.active === 0 && <p className="quiet">{t('views.needsFilters')}</p>}
    </div>
  );

  return (
    <Popover content={content} title={t('views.title')} trigger="click" placement="bottomLeft" open={open} onOpenChange={setOpen}>
      <Button icon={<StarOutlined />}>{t('views.title')}</Button>
    </Popover>
  );
}
