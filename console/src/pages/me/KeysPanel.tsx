// SPDX-License-Identifier: Apache-2.0
/** The own API keys, in the account. */
import { KeysTable } from '@/pages/keys/KeysTable';
import { Panel } from '@/parts/Page';

export function KeysPanel() {
  return (
    <Panel flush>
      <KeysTable height={420} />
    </Panel>
  );
}
