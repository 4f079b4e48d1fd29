// SPDX-License-Identifier: Apache-2.0
//! Samples on their way: begun, gone on with, whole, or wrong.

use super::samples::{SAMPLE, locked, read_sample};
use super::{check_hash, deep_scans, missing, standing};
use crate::db::sql::{Sql, sql};
use crate::error::{Result, StoreError};
use crate::{NewSample, SampleRow, Store};

impl Store {
    /// A host begins to send a sample. The row says what holds: `receiving` with this host (go on at `have`) or
    /// with another one that is at it, `stored`, `failed` (not again before `retry_ms`), `deleting`, `deleted`
    /// by a person (not wanted any more).
    ///
    /// # Errors
    /// `BadRequest` for a hash that is none.
    pub async fn begin_sample(&self, s: &NewSample) -> Result<SampleRow> {
        check_hash(&s.sha256)?;
        let mut tx = self.begin().await?;
        let insert = sql("INSERT INTO samples (project, sha256, size, kind, host, state, have, began_ms, updated_ms, \
             stored_ms, expires_ms, failures, retry_ms, reason, hold, hold_by, hold_why, hold_ms, deleted_by, \
             deleted_why, deleted_ms) VALUES ($1, $2, $3, $4, $5, 'receiving', 0, $6, $6, 0, $7, 0, 0, '', FALSE, '', \
             '', 0, '', '', 0) ON CONFLICT (project, sha256) DO UPDATE SET size = excluded.size, \
             kind = excluded.kind, host = excluded.host, state = 'receiving', began_ms = excluded.began_ms, \
             have = CASE WHEN samples.state = 'receiving' AND samples.host = excluded.host \
             AND samples.size = excluded.size THEN samples.have ELSE 0 END, \
             updated_ms = excluded.updated_ms, stored_ms = 0, expires_ms = excluded.expires_ms, deleted_by = '', \
             deleted_why = '', deleted_ms = 0 \
             WHERE (samples.state = 'receiving' AND (samples.host = excluded.host OR samples.updated_ms < $8)) \
             OR (samples.state = 'failed' AND samples.retry_ms <= excluded.updated_ms) \
             OR (samples.state = 'deleted' AND samples.deleted_by = '')")
        .bind(&s.project)
        .bind(&s.sha256)
        .bind(s.size.max(0))
        .bind(&s.kind)
        .bind(&s.host)
        .bind(s.now_ms)
        .bind(s.expires_ms)
        .bind(s.silent_since_ms);
        let changed = tx.run(insert).await? > 0;
        let file = (s.project.as_str(), s.sha256.as_slice());
        if changed {
            standing::ensure(&mut tx, file, (s.size.max(0), &s.kind, &s.host), s.now_ms).await?;
        }
        let row = locked(&mut tx, file).await?;
        self.commit(tx).await?;
        if changed {
            self.note_file(&s.project, &s.sha256);
        }
        Ok(row)
    }

    /// So much of it has come; nothing when it is not on its way any more.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_sample_have(&self, project: &str, sha256: &[u8], have: i64, now_ms: i64) -> Result<()> {
        let update = sql("UPDATE samples SET have = $3, updated_ms = $4 \
             WHERE project = $1 AND sha256 = $2 AND state = 'receiving'")
        .bind(project)
        .bind(sha256)
        .bind(have)
        .bind(now_ms);
        self.pools.run(update).await?;
        Ok(())
    }

    /// It is whole and stored; its deep scan is queued in the same transaction. Nothing changes when it was
    /// stored already.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when a person deleted it meanwhile: what was stored is to go.
    pub async fn sample_stored(&self, project: &str, sha256: &[u8], now_ms: i64) -> Result<SampleRow> {
        check_hash(sha256)?;
        let mut tx = self.begin().await?;
        let row = locked(&mut tx, (project, sha256)).await?;
        match row.state.as_str() {
            "stored" => return Ok(row),
            "deleting" | "deleted" => {
                return Err(StoreError::Conflict(format!(
                    "the sample {} was deleted while it came: do not keep it",
                    crate::db::page::hex(sha256)
                )));
            }
            _ => {}
        }
        let mut update = Sql::built(
            "UPDATE samples SET state = 'stored', have = size, stored_ms = $3, \
             updated_ms = $3, reason = '' WHERE project = $1 AND sha256 = $2 RETURNING "
                .to_owned(),
        )
        .bind(project)
        .bind(sha256)
        .bind(now_ms);
        update.push(SAMPLE);
        let row = tx.one(update).await?.ok_or_else(|| missing("sample", sha256))?;
        let row = read_sample(&mut row.fields())?;
        deep_scans::queue(&mut tx, (project, sha256), now_ms, false).await?;
        self.commit(tx).await?;
        self.note_file(project, sha256);
        Ok(row)
    }

    /// What came is not what was said (hash, length), or cannot be kept: it may be sent again after `retry_ms`.
    /// Nothing when it is not on its way any more.
    ///
    /// # Errors
    /// Of the database.
    pub async fn sample_failed(
        &self,
        project: &str,
        sha256: &[u8],
        why: &str,
        retry_ms: i64,
        now_ms: i64,
    ) -> Result<()> {
        let update =
            sql("UPDATE samples SET state = 'failed', have = 0, failures = failures + 1, reason = $3, \
             retry_ms = $4, updated_ms = $5 WHERE project = $1 AND sha256 = $2 AND state = 'receiving'")
            .bind(project)
            .bind(sha256)
            .bind(why)
            .bind(retry_ms)
            .bind(now_ms);
        if self.pools.run(update).await? > 0 {
            self.note_file(project, sha256);
        }
        Ok(())
    }
}
