// SPDX-License-Identifier: Apache-2.0
/** More alarms than a browser should collect: the server writes the file, the browser fetches it. */
import { read, send } from '@/api/hooks';
import type { QueryOf } from '@/api/types';

const LOOKS = 600;
const PAUSE_MS = 1000;

export async function exportAlarms(query: Partial<QueryOf<'/api/v1/alarms'>>): Promise<void> {
  let now = await send('post', '/api/v1/alarms/export', { query });
  for (let i = 0; now.state === 'running' && i < LOOKS; i += 1) {
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    now = await read('/api/v1/exports/{id}', { path: { id: now.id } });
  }
  if (now.state !== 'done' || !now.download) throw new Error(now.reason ?? now.state);
  const a = document.createElement('a');
  a.href = now.download;
  a.download = '';
  a.click();
}
