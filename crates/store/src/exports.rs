// SPDX-License-Identifier: Apache-2.0
//! Files for people, in the database: whichever server is asked has them. They are bounded in number and
//! size, and gone after their time.

use crate::db::conn::Tx;
use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{EXPORT_PART, ExportLimits, ExportRow, Store};

const COLUMNS: &str = "id, user_id, created_ms, updated_ms, state, row_count, bytes, parts, reason";
/// Who begins one counts the others first: one after the other.
const LOCK: i64 = 0x6c61_7a61_7265_7404;

fn read(row: &Row) -> Result<ExportRow> {
    let mut f = row.fields();
    Ok(ExportRow {
        id: f.text()?,
        user: f.text()?,
        created_ms: f.int()?,
        updated_ms: f.int()?,
        state: f.text()?,
        rows: f.count()?,
        bytes: f.count()?,
        parts: f.count()?,
        reason: f.text()?,
    })
}

impl Store {
    /// Begins an export, empty and running.
    ///
    /// # Errors
    /// `Conflict` when there are too many, or they take too much room.
    pub async fn begin_export(
        &self,
        id: &str,
        user: &str,
        limits: &ExportLimits,
        now_ms: i64,
    ) -> Result<ExportRow> {
        let mut tx = self.begin().await?;
        tx.lock(LOCK).await?;
        end_stale(&mut tx, now_ms - limits.stale_ms, now_ms).await?;
        let count = sql(
            "SELECT count(*), CAST(COALESCE(sum(CASE WHEN state = 'running' THEN 1 ELSE 0 END), 0) AS BIGINT), \
                 CAST(COALESCE(sum(bytes), 0) AS BIGINT) FROM exports",
        );
        let row = tx.one(count).await?.ok_or_else(|| StoreError::Other("nothing was counted".into()))?;
        let mut f = row.fields();
        let (kept, running, bytes) = (f.count()?, f.count()?, f.count()?);
        if kept >= limits.kept || running >= limits.running || bytes >= limits.bytes {
            // What was found to have ended stays so.
            tx.commit().await?;
            return Err(StoreError::Conflict(
                "too many exports at the moment; wait for one to end, or until old ones are deleted".into(),
            ));
        }
        let insert =
            sql("INSERT INTO exports (id, user_id, created_ms, updated_ms, state, row_count, bytes, parts, reason) \
                 VALUES ($1, $2, $3, $3, 'running', 0, 0, 0, '')")
            .bind(id)
            .bind(user)
            .bind(now_ms);
        tx.run(insert).await?;
        self.commit(tx).await?;
        self.export(id).await
    }

    /// Adds a part, of at most [`EXPORT_PART`] bytes; `rows` are those of all parts so far.
    ///
    /// # Errors
    /// `Conflict` when it does not run any more, or all exports together would take more than they may.
    pub async fn add_export_part(
        &self,
        id: &str,
        content: &[u8],
        rows: u64,
        limits: &ExportLimits,
        now_ms: i64,
    ) -> Result<()> {
        if content.len() > EXPORT_PART {
            return Err(StoreError::BadRequest(format!(
                "a part of {} bytes: {EXPORT_PART} at most",
                content.len()
            )));
        }
        let mut tx = self.begin().await?;
        let update =
            sql("UPDATE exports SET parts = parts + 1, bytes = bytes + $2, row_count = $3, updated_ms = $4 \
             WHERE id = $1 AND state = 'running' RETURNING parts")
            .bind(id)
            .bind(i64::try_from(content.len()).unwrap_or(i64::MAX))
            .bind(i64::try_from(rows).unwrap_or(i64::MAX))
            .bind(now_ms);
        let row = tx.one(update).await?.ok_or_else(|| {
            StoreError::Conflict(format!("the export {id:?} does not run any more: begin another one"))
        })?;
        let part = row.fields().int()? - 1;
        let all = tx.one(sql("SELECT CAST(COALESCE(sum(bytes), 0) AS BIGINT) FROM exports")).await?;
        let bytes = all.map_or(Ok(0), |r| r.fields().count())?;
        if bytes > limits.bytes {
            return Err(StoreError::Conflict(format!(
                "all exports together may take {} MiB: narrow the filter, or wait until old ones are deleted",
                limits.bytes >> 20
            )));
        }
        let insert = sql("INSERT INTO export_parts (export, part, content) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(part)
            .bind(content);
        tx.run(insert).await?;
        tx.commit().await
    }

    /// It is done, or failed with a reason (then its content goes).
    ///
    /// # Errors
    /// `Conflict` when it does not run any more.
    pub async fn end_export(&self, id: &str, failed: Option<&str>, now_ms: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = sql("UPDATE exports SET state = $2, reason = $3, updated_ms = $4, \
             bytes = CASE WHEN $5 THEN 0 ELSE bytes END, parts = CASE WHEN $5 THEN 0 ELSE parts END \
             WHERE id = $1 AND state = 'running'")
        .bind(id)
        .bind(if failed.is_some() { "failed" } else { "done" })
        .bind(failed.unwrap_or_default())
        .bind(now_ms)
        .bind(failed.is_some());
        if tx.run(update).await? == 0 {
            return Err(StoreError::Conflict(format!("the export {id:?} does not run any more")));
        }
        if failed.is_some() {
            tx.run(sql("DELETE FROM export_parts WHERE export = $1").bind(id)).await?;
        }
        tx.commit().await
    }

    /// One export.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn export(&self, id: &str) -> Result<ExportRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "exports")).await?;
        read(&row.ok_or_else(|| StoreError::missing("export", id))?)
    }

    /// A part of its content, from 0 on.
    ///
    /// # Errors
    /// `NotFound`: there is no such part, or the export was deleted meanwhile.
    pub async fn export_part(&self, id: &str, part: u64) -> Result<Vec<u8>> {
        let select = sql("SELECT content FROM export_parts WHERE export = $1 AND part = $2")
            .bind(id)
            .bind(i64::try_from(part).unwrap_or(i64::MAX));
        match self.pools.one(select).await? {
            Some(row) => row.fields().bytes(),
            None => Err(StoreError::NotFound(format!(
                "the export {id:?} has no part {part}: it was deleted; export anew"
            ))),
        }
    }

    /// Ends those that nobody writes any more, and deletes those that were begun before; how many it
    /// deleted.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_exports(&self, before_ms: i64, stale_before_ms: i64, now_ms: i64) -> Result<u64> {
        let mut tx = self.begin().await?;
        end_stale(&mut tx, stale_before_ms, now_ms).await?;
        let n = tx.run(sql("DELETE FROM exports WHERE created_ms < $1").bind(before_ms)).await?;
        tx.commit().await?;
        Ok(n)
    }
}

async fn end_stale(tx: &mut Tx, before_ms: i64, now_ms: i64) -> Result<()> {
    let parts = sql("DELETE FROM export_parts WHERE export IN \
         (SELECT id FROM exports WHERE state = 'running' AND updated_ms < $1)")
    .bind(before_ms);
    tx.run(parts).await?;
    let ended = sql("UPDATE exports SET state = 'failed', bytes = 0, parts = 0, updated_ms = $2, \
         reason = 'the server that wrote it ended; export anew' WHERE state = 'running' AND updated_ms < $1")
    .bind(before_ms)
    .bind(now_ms);
    tx.run(ended).await?;
    Ok(())
}
