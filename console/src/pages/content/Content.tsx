// SPDX-License-Identifier: Apache-2.0
/** What hosts of a project judge by: the pack they are offered, rules and digests that people added, disarmed rules. */
import { Alert, Button, Form, Input, Modal, Radio, Upload } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useGet, useSend } from '@/api/hooks';
import { wholeList } from '@/api/lists';
import type { Schema } from '@/api/types';
import { useCan } from '@/app/permissions';
import { Shown, State } from '@/app/states';
import { ConfirmAction } from '@/parts/ConfirmAction';
import { DataTable, type Column } from '@/parts/DataTable';
import { useFeedback } from '@/parts/feedback';
import { Digest, HostText } from '@/parts/FileName';
import { numberText, sizeText } from '@/parts/numbers';
import { Facts, Page, Panel } from '@/parts/Page';
import { ProjectChoice, useOneProject, useProjects } from '@/parts/projects';
import { Tag } from '@/parts/tags';
import { Time } from '@/parts/Time';
import { TextArea } from '@/parts/TextArea';
import { DisarmedRules } from './DisarmedRules';

type Item = Schema<'ContentItem'>;

export default function Content() {
  const { t } = useTranslation('content');
  const project = useOneProject();
  const { loading } = useProjects();
  return (
    <Page title={t('title')} about={t('about')} actions={<ProjectChoice label={t('project')} value={project} />}>
      {project ? <Whole key={project} project={project} /> : !loading && <State title={t('noProject')} />}
    </Page>
  );
}

function Whole({ project }: { project: string }) {
  const { t, i18n } = useTranslation('content');
  const can = useCan()('administer', project);
  const { done } = useFeedback();
  const [adding, setAdding] = useState(false);
  const found = useGet('/api/v1/content', { query: { project } });
  const promote = useSend('put', '/api/v1/content/{id}');
  const remove = useSend('delete', '/api/v1/content/{id}');
  const rows = wholeList(found);
  const set = async (row: Item, promoted: boolean) => {
    await promote.mutateAsync({ path: { id: row.id }, body: { promoted } });
    done(t(promoted ? 'promoted' : 'demoted'), { undo: () => set(row, !promoted) });
  };
  const columns: Column<Item>[] = [
    { id: 'name', title: t('column.name'), width: 200, grow: 2, render: (r) => <HostText text={r.name} />, csv: (r) => r.name },
    { id: 'kind', title: t('column.kind'), width: 110, grow: 0, render: (r) => t(`kind.${r.kind}`), csv: (r) => r.kind },
    { id: 'entries', title: t('column.entries'), width: 90, grow: 0, align: 'right', render: (r) => numberText(r.entries, i18n.language), csv: (r) => r.entries },
    { id: 'promoted', title: t('column.rating'), width: 200, grow: 0, render: (r) => (r.promoted ? <Tag tone="high">{t('mayAct')}</Tag> : <Tag tone="quiet">{t('onlyAlarms')}</Tag>), csv: (r) => t(r.promoted ? 'mayAct' : 'onlyAlarms') },
    { id: 'promotedBy', title: t('column.promotedBy'), width: 120, hidden: true, render: (r) => <HostText text={r.promoted_by} />, csv: (r) => r.promoted_by },
    { id: 'by', title: t('column.by'), width: 110, render: (r) => <HostText text={r.added_by} />, csv: (r) => r.added_by },
    { id: 'at', title: t('column.at'), width: 160, grow: 0, render: (r) => <Time at={r.added_at} />, csv: (r) => r.added_at },
    { id: 'sha256', title: t('column.sha256'), width: 160, hidden: true, render: (r) => <Digest value={r.sha256} />, csv: (r) => r.sha256 },
    {
      id: 'actions', title: t('column.actions'), width: 190, grow: 0,
      render: (r) => can && (
        <>
          <ConfirmAction
            label={t(r.promoted ? 'demote' : 'promote')} button={{ type: 'link', size: 'small', danger: false }} title={t(r.promoted ? 'demoteTitle' : 'promoteTitle')} text={t(r.promoted ? 'demoteText' : 'promoteText')} names={[r.name]} verb={t(r.promoted ? 'demote' : 'promote')} danger={!r.promoted}
            action={() => set(r, !r.promoted)}
          />
          <ConfirmAction
            label={t('remove')} button={{ type: 'link', size: 'small' }} title={t('removeTitle')} text={t('removeText')} names={[r.name]} verb={t('remove')} danger
            action={async () => { await remove.mutateAsync({ path: { id: r.id } }); done(t('removed')); }}
          />
        </>
      ),
    },
  ];
  return (
    <>
      <Panel title={t('pack')}>
        <Shown of={found}>
          {({ pack }) => pack ? (
            <Facts of={[[t('version'), <code key="v">{pack.version}</code>], [t('number'), pack.number], [t('size'), sizeText(pack.size, i18n.language)], [t('signedUntil'), <Time key="e" at={pack.expires_at} />], [t('column.sha256'), <Digest key="d" value={pack.sha256} />]]} />
          ) : <p className="quiet">{t('noPack')}</p>}
        </Shown>
      </Panel>
      <Panel title={t('added')} flush extra={can && <Button type="primary" onClick={() => setAdding(true)}>{t('add')}</Button>}>
        <p className="quiet panel-text">{t('addedText')}</p>
        <DataTable id="content" label={t('added')} rows={rows} idOf={(r) => r.id} columns={columns} height={320} empty={t('none')} />
      </Panel>
      <DisarmedRules project={project} />
      {adding && <AddContent project={project} onClose={() => setAdding(false)} />}
    </>
  );
}

const MOST_BYTES = 524_288;

function AddContent({ project, onClose }: { project: string; onClose: () => void }) {
  const { t } = useTranslation('content');
  const { done } = useFeedback();
  const [form] = Form.useForm<Schema<'NewContent'>>();
  const add = useSend('post', '/api/v1/content');
  const make = async (f: Schema<'NewContent'>) => {
    await add.mutateAsync({ body: { ...f, name: f.name.trim(), project } });
    done(t('wasAdded'));
    onClose();
  };
  const take = async (file: File) => {
    if (file.size > MOST_BYTES) form.setFields([{ name: 'body', errors: [t('tooLarge')] }]);
    else {
      const name = file.name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 100);
      form.setFieldsValue({ body: await file.text(), name, kind: /\.ya?ra?$/.test(name) ? 'yara' : 'hashes' });
    }
  };
  return (
    <Modal open title={t('add')} onCancel={onClose} footer={null} width={720} mask={{ closable: false }}>
      <p className="quiet">{t('addedText')}</p>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ kind: 'yara' }} onFinish={(f) => void make(f).catch(() => undefined)}>
        {add.error && <Alert type="error" showIcon title={<HostText text={add.error.message} />} role="alert" className="door-error" />}
        <Upload beforeUpload={(file) => { void take(file); return false; }} showUploadList={false}>
          <Button className="door-error">{t('fromFile')}</Button>
        </Upload>
        <Form.Item name="kind" label={t('column.kind')}>
          <Radio.Group options={[{ value: 'yara', label: t('kind.yara') }, { value: 'hashes', label: t('kind.hashes') }]} />
        </Form.Item>
        <Form.Item name="name" label={t('column.name')} extra={t('nameHint')} rules={[{ required: true, pattern: /^\s*[A-Za-z0-9._-]{1,100}\s*$/, message: t('nameWrong') }]}>
          <Input maxLength={100} spellCheck={false} autoFocus />
        </Form.Item>
        <Form.Item name="body" label={t('body')} extra={t('bodyHint')} rules={[{ required: true, message: t('needed') }]}>
          <TextArea least={10} most={10} spellCheck={false} className="mono" />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={add.isPending}>{t('addVerb')}</Button>
      </Form>
    </Modal>
  );
}
