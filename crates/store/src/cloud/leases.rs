// SPDX-License-Identifier: Apache-2.0
//! Who scans what, until when. Workers on PostgreSQL pass over what others are just taking; with SQLite one
//! process has all of them.

use super::deep_scans::{LISTED, read_listed};
use super::standing;
use crate::db::conn::Tx;
use crate::db::sql::{Sql, sql};
use crate::error::{Result, StoreError};
use crate::{DeepScanRow, GivenBack, Store};

/// A sample that ended its scanner, or its worker, so often is set aside.
pub(super) const CRASHES: i64 = 3;

const LAPSED: &str = "its worker did not come back";

pub(super) fn lost(id: &str, worker: &str) -> StoreError {
    StoreError::Conflict(format!(
        "the deep scan {id} is not {worker:?}'s any more: leave it to who has it now"
    ))
}

/// Those whose worker is gone for the last time are set aside.
async fn set_aside_lapsed(tx: &mut Tx, now_ms: i64) -> Result<Vec<DeepScanRow>> {
    let update = Sql::built(format!(
        "WITH gone AS MATERIALIZED (SELECT id FROM deep_scans WHERE state IN ('queued', 'scanning') \
         AND state = 'scanning' AND due_ms <= $1 AND crashes >= {} ORDER BY due_ms, id LIMIT 100{}) \
         UPDATE deep_scans SET state = 'set_aside', crashes = crashes + 1, finished_ms = $1, reason = $2 \
         WHERE id IN (SELECT id FROM gone) RETURNING {LISTED}",
        CRASHES - 1,
        if tx.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" }
    ))
    .bind(now_ms)
    .bind(LAPSED);
    let rows = tx.all(update).await?;
    let rows: Vec<DeepScanRow> = rows.iter().map(|r| read_listed(&mut r.fields())).collect::<Result<_>>()?;
    for row in &rows {
        standing::not_pending(tx, (&row.project, &row.sha256), now_ms).await?;
    }
    Ok(rows)
}

impl Store {
    /// Gives a worker at most `n` scans until `now_ms + lease_ms`, those that wait longest first. One whose lease
    /// ran out is given to the next and counts as a crash: at the third it is set aside.
    ///
    /// # Errors
    /// Of the database.
    pub async fn lease_deep_scans(
        &self,
        worker: &str,
        n: u32,
        lease_ms: i64,
        now_ms: i64,
    ) -> Result<Vec<DeepScanRow>> {
        // Most looks find nothing: they write nothing.
        let due =
            sql("SELECT count(*) FROM (SELECT 1 FROM deep_scans WHERE state IN ('queued', 'scanning') \
             AND due_ms <= $1 LIMIT 1) AS due")
            .bind(now_ms);
        if n == 0 || self.pools.one(due).await?.map_or(Ok(0), |r| r.fields().int())? == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let aside = set_aside_lapsed(&mut tx, now_ms).await?;
        let lease = Sql::built(format!(
            "WITH due AS MATERIALIZED (SELECT id FROM deep_scans WHERE state IN ('queued', 'scanning') \
             AND due_ms <= $2 ORDER BY due_ms, id LIMIT $4{}) \
             UPDATE deep_scans SET crashes = crashes + CASE WHEN state = 'scanning' THEN 1 ELSE 0 END, \
             reason = CASE WHEN state = 'scanning' THEN $5 ELSE reason END, state = 'scanning', worker = $1, \
             tries = tries + 1, started_ms = $2, due_ms = $3 \
             WHERE id IN (SELECT id FROM due) RETURNING {LISTED}",
            if tx.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" }
        ))
        .bind(worker)
        .bind(now_ms)
        .bind(now_ms + lease_ms)
        .bind(i64::from(n))
        .bind(LAPSED);
        let rows = tx.all(lease).await?;
        let mut rows: Vec<DeepScanRow> =
            rows.iter().map(|r| read_listed(&mut r.fields())).collect::<Result<_>>()?;
        rows.sort_by(|a, b| (a.queued_ms, &a.id).cmp(&(b.queued_ms, &b.id)));
        tx.commit().await?;
        for row in aside.iter().chain(&rows) {
            self.note_file(&row.project, &row.sha256);
        }
        Ok(rows)
    }

    /// Keeps a lease; false when it is lost.
    ///
    /// # Errors
    /// Of the database.
    pub async fn renew_deep_scan(&self, id: &str, worker: &str, until_ms: i64) -> Result<bool> {
        let update = sql("UPDATE deep_scans SET due_ms = CASE WHEN due_ms < $3 THEN $3 ELSE due_ms END \
             WHERE id = $1 AND worker = $2 AND state = 'scanning'")
        .bind(id)
        .bind(worker)
        .bind(until_ms);
        Ok(self.pools.run(update).await? > 0)
    }

    /// A worker could not scan it: somebody is to try again, not before `not_before_ms`. With `crashed` it ended
    /// the scanner: at the third time it is set aside.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn give_back_deep_scan(
        &self,
        id: &str,
        worker: &str,
        why: &str,
        not_before_ms: i64,
        crashed: bool,
        now_ms: i64,
    ) -> Result<GivenBack> {
        let mut tx = self.begin().await?;
        let mut update = Sql::built(format!(
            "UPDATE deep_scans SET crashes = crashes + $5, reason = $3, \
             state = CASE WHEN crashes + $5 >= {CRASHES} THEN 'set_aside' ELSE 'queued' END, \
             finished_ms = CASE WHEN crashes + $5 >= {CRASHES} THEN $6 ELSE finished_ms END, due_ms = $4 \
             WHERE id = $1 AND worker = $2 AND state = 'scanning' RETURNING "
        ))
        .bind(id)
        .bind(worker)
        .bind(why)
        .bind(not_before_ms)
        .bind(i64::from(crashed))
        .bind(now_ms);
        update.push(LISTED);
        let row = tx.one(update).await?.ok_or_else(|| lost(id, worker))?;
        let row = read_listed(&mut row.fields())?;
        let given = if row.state == "set_aside" { GivenBack::SetAside } else { GivenBack::Queued };
        if given == GivenBack::SetAside {
            standing::not_pending(&mut tx, (&row.project, &row.sha256), now_ms).await?;
        }
        tx.commit().await?;
        self.note_file(&row.project, &row.sha256);
        Ok(given)
    }
}
