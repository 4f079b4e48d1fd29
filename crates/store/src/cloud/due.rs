// SPDX-License-Identifier: Apache-2.0
//! Whether there is anything to scan, without taking it.

use crate::Store;
use crate::db::sql::sql;
use crate::error::Result;

impl Store {
    /// Whether a worker would get a scan now.
    ///
    /// # Errors
    /// Of the database.
    pub async fn deep_scans_due(&self, now_ms: i64) -> Result<bool> {
        let due =
            sql("SELECT count(*) FROM (SELECT 1 FROM deep_scans WHERE state IN ('queued', 'scanning') \
             AND due_ms <= $1 LIMIT 1) AS due")
            .bind(now_ms);
        Ok(self.pools.one(due).await?.map_or(Ok(0), |r| r.fields().int())? > 0)
    }
}
