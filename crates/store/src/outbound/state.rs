// SPDX-License-Identifier: Apache-2.0
//! How far each target is, and which process works for it.

use crate::db::sql::sql;
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{Store, TargetState};

const COLUMNS: &str = "target, cursor_seq, pending_to, failures, retry_ms, digest_ms, sent, missed, ok_ms, error, \
     error_ms";

fn read(row: &Row) -> Result<TargetState> {
    let mut f = row.fields();
    Ok(TargetState {
        target: f.text()?,
        cursor: f.int()?,
        pending_to: f.int()?,
        failures: f.int()?,
        retry_ms: f.int()?,
        digest_ms: f.int()?,
        sent: f.int()?,
        missed: f.int()?,
        ok_ms: f.int()?,
        error: f.text()?,
        error_ms: f.int()?,
    })
}

impl Store {
    /// How far a target is.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn target_state(&self, id: &str) -> Result<TargetState> {
        let mut select = sql("");
        select.push(&format!("SELECT {COLUMNS} FROM target_states WHERE target = "));
        select.arg(id);
        let row = self.pools.one(select).await?;
        read(&row.ok_or_else(|| StoreError::missing("target", id))?)
    }

    /// How far all of them are.
    ///
    /// # Errors
    /// Of the database.
    pub async fn target_states(&self) -> Result<Vec<TargetState>> {
        let mut select = sql("");
        select.push(&format!("SELECT {COLUMNS} FROM target_states"));
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Writes it down. The cursor never goes back: who lost its lease in between changes nothing, and is told
    /// so by false.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_target_state(&self, s: &TargetState) -> Result<bool> {
        let update =
            sql("UPDATE target_states SET cursor_seq = $2, pending_to = $3, failures = $4, retry_ms = $5, \
             digest_ms = $6, sent = $7, missed = $8, ok_ms = $9, error = $10, error_ms = $11 \
             WHERE target = $1 AND cursor_seq <= $2")
            .bind(&s.target)
            .bind(s.cursor)
            .bind(s.pending_to)
            .bind(s.failures)
            .bind(s.retry_ms)
            .bind(s.digest_ms)
            .bind(s.sent)
            .bind(s.missed)
            .bind(s.ok_ms)
            .bind(&s.error)
            .bind(s.error_ms);
        Ok(self.pools.run(update).await? > 0)
    }

    /// Takes or keeps a lease: true for its holder, and for anybody once it has run out.
    ///
    /// # Errors
    /// Of the database.
    pub async fn take_lease(&self, name: &str, holder: &str, now_ms: i64, until_ms: i64) -> Result<bool> {
        let take = sql("INSERT INTO leases (name, holder, until_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms \
             WHERE leases.holder = excluded.holder OR leases.until_ms <= $4")
        .bind(name)
        .bind(holder)
        .bind(until_ms)
        .bind(now_ms);
        Ok(self.pools.run(take).await? > 0)
    }

    /// Lets go of all leases of a holder.
    ///
    /// # Errors
    /// Of the database.
    pub async fn end_leases(&self, holder: &str) -> Result<()> {
        self.pools.run(sql("DELETE FROM leases WHERE holder = $1").bind(holder)).await?;
        Ok(())
    }
}
