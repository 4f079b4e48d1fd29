// SPDX-License-Identifier: Apache-2.0
//! What is kept for its time and not for ever: lines of hosts' histories, and orders that have ended.

use crate::Store;
use crate::db::sql::sql;
use crate::error::Result;

impl Store {
    /// Deletes lines of histories and ended orders from before, at most `limit` of each; how many. What is
    /// open stays, and so does what was handled and the audit log.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_history_before(&self, before_ms: i64, limit: u32) -> Result<u64> {
        let events = sql("DELETE FROM host_events WHERE (host, epoch, seq) IN (SELECT host, epoch, seq \
             FROM host_events WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)")
        .bind(before_ms)
        .bind(limit);
        let orders = sql("DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE created_ms < $1 \
             AND state NOT IN ('pending', 'sent') ORDER BY created_ms, id LIMIT $2)")
        .bind(before_ms)
        .bind(limit);
        Ok(self.pools.run(events).await? + self.pools.run(orders).await?)
    }
}
