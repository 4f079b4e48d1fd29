// SPDX-License-Identifier: Apache-2.0
//! Samples that are kept: listed, held, deleted. Deletion has two steps, so that a hold that comes meanwhile
//! is refused, and what a crash leaves is deleted later.

use super::{check_hash, deep_scans, missing};
use crate::db::conn::Tx;
use crate::db::page::{Kind, Order, hex, page};
use crate::db::sql::{Filter, Sql, sql};
use crate::db::value::Fields;
use crate::error::{Result, StoreError};
use crate::{Page, SampleRow, SamplesQuery, Store};

pub(super) const SAMPLE: &str = "project, sha256, size, kind, host, state, have, began_ms, updated_ms, stored_ms, \
     expires_ms, failures, retry_ms, reason, hold, hold_by, hold_why, hold_ms, deleted_by, deleted_why, deleted_ms";

/// One that nobody goes on with is given up after that.
const UNFINISHED_MS: i64 = 86_400_000;

pub(super) fn read_sample(f: &mut Fields<'_>) -> Result<SampleRow> {
    Ok(SampleRow {
        project: f.text()?,
        sha256: f.bytes()?,
        size: f.int()?,
        kind: f.text()?,
        host: f.text()?,
        state: f.text()?,
        have: f.int()?,
        began_ms: f.int()?,
        updated_ms: f.int()?,
        stored_ms: f.int()?,
        expires_ms: f.int()?,
        failures: f.int()?,
        retry_ms: f.int()?,
        reason: f.text()?,
        hold: f.flag()?,
        hold_by: f.text()?,
        hold_why: f.text()?,
        hold_ms: f.int()?,
        deleted_by: f.text()?,
        deleted_why: f.text()?,
        deleted_ms: f.int()?,
    })
}

fn one(project: &str, sha256: &[u8]) -> Sql {
    let mut w = Filter::new();
    w.value("project =", project);
    w.value("sha256 =", sha256);
    w.select(SAMPLE, "samples")
}

/// A row that nobody else changes before the transaction ends.
pub(super) async fn locked(tx: &mut Tx, (project, sha256): (&str, &[u8])) -> Result<SampleRow> {
    let mut select = one(project, sha256);
    if tx.is_postgres() {
        select.push(" FOR UPDATE");
    }
    let row = tx.one(select).await?.ok_or_else(|| missing("sample", sha256))?;
    read_sample(&mut row.fields())
}

impl Store {
    /// The sample of a file of a project, also a deleted one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn sample(&self, project: &str, sha256: &[u8]) -> Result<SampleRow> {
        check_hash(sha256)?;
        let row = self.pools.one(one(project, sha256)).await?;
        read_sample(&mut row.ok_or_else(|| missing("sample", sha256))?.fields())
    }

    /// Samples of a project, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a limit or a cursor that makes no sense.
    pub async fn samples(&self, q: &SamplesQuery) -> Result<Page<SampleRow>> {
        let mut w = Filter::new();
        w.value("project =", &q.project);
        w.any("state", q.states.iter());
        w.exact("host", &q.host);
        match q.hold {
            Some(true) => w.and("hold"),
            Some(false) => w.and("NOT hold"),
            None => {}
        }
        let order = Order { first: "began_ms", second: "sha256", kind: Kind::NewestBytes };
        page(&self.pools, (SAMPLE, "samples"), &w, &order, &q.page, read_sample).await
    }

    /// Sets or ends a legal hold.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it is deleted, or about to be.
    pub async fn hold_sample(
        &self,
        project: &str,
        sha256: &[u8],
        hold: bool,
        who: &str,
        why: &str,
        now_ms: i64,
    ) -> Result<SampleRow> {
        check_hash(sha256)?;
        let mut tx = self.begin().await?;
        let row = locked(&mut tx, (project, sha256)).await?;
        if matches!(row.state.as_str(), "deleting" | "deleted") {
            return Err(StoreError::Conflict(format!("the sample {} is deleted", hex(sha256))));
        }
        let mut update = Sql::built(
            "UPDATE samples SET hold = $3, hold_by = $4, hold_why = $5, hold_ms = $6 \
             WHERE project = $1 AND sha256 = $2 RETURNING "
                .to_owned(),
        )
        .bind(project)
        .bind(sha256)
        .bind(hold)
        .bind(who)
        .bind(why)
        .bind(now_ms);
        update.push(SAMPLE);
        let row = tx.one(update).await?.ok_or_else(|| missing("sample", sha256))?;
        let row = read_sample(&mut row.fields())?;
        self.commit(tx).await?;
        self.note_file(project, sha256);
        Ok(row)
    }

    /// First step: it is to go, and nobody holds or scans it any more. Delete what is stored of it, then say
    /// [`Store::sample_deleted`]. `who` is empty when its time is over. One that is going or gone stays as it is.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` under legal hold.
    pub async fn delete_sample(
        &self,
        project: &str,
        sha256: &[u8],
        who: &str,
        why: &str,
        now_ms: i64,
    ) -> Result<SampleRow> {
        check_hash(sha256)?;
        let mut tx = self.begin().await?;
        let row = locked(&mut tx, (project, sha256)).await?;
        if row.hold {
            return Err(StoreError::Conflict(format!(
                "the sample {} is under legal hold ({}): end that first",
                hex(sha256),
                row.hold_why
            )));
        }
        // A person's word stays also where its time was over before.
        let again = row.state == "deleting" || row.state == "deleted";
        if again && (who.is_empty() || !row.deleted_by.is_empty()) {
            return Ok(row);
        }
        let mut update = Sql::built(
            "UPDATE samples SET state = CASE WHEN state = 'deleted' THEN state ELSE 'deleting' END, \
             deleted_by = $3, deleted_why = $4, deleted_ms = $5, updated_ms = $5 \
             WHERE project = $1 AND sha256 = $2 RETURNING "
                .to_owned(),
        )
        .bind(project)
        .bind(sha256)
        .bind(who)
        .bind(why)
        .bind(now_ms);
        update.push(SAMPLE);
        let row = tx.one(update).await?.ok_or_else(|| missing("sample", sha256))?;
        let row = read_sample(&mut row.fields())?;
        deep_scans::cancel(&mut tx, (project, sha256), now_ms).await?;
        self.commit(tx).await?;
        self.note_file(project, sha256);
        Ok(row)
    }

    /// Second step: nothing of it is stored any more.
    ///
    /// # Errors
    /// Of the database.
    pub async fn sample_deleted(&self, project: &str, sha256: &[u8], now_ms: i64) -> Result<()> {
        let update = sql("UPDATE samples SET state = 'deleted', have = 0, deleted_ms = $3, updated_ms = $3 \
             WHERE project = $1 AND sha256 = $2 AND state = 'deleting'")
        .bind(project)
        .bind(sha256)
        .bind(now_ms);
        if self.write(update).await? > 0 {
            self.note_file(project, sha256);
        }
        Ok(())
    }

    /// Takes the first step for samples whose time is over and for those that nobody has gone on with for a day,
    /// and gives them with those whose second step is missing; at most 1000 with one call. What is under legal
    /// hold is not among them.
    ///
    /// # Errors
    /// Of the database.
    pub async fn samples_due(&self, now_ms: i64) -> Result<Vec<SampleRow>> {
        let select = sql("SELECT project, sha256, 'its time is over' FROM samples WHERE state = 'stored' \
             AND NOT hold AND expires_ms > 0 AND expires_ms <= $1 \
             UNION ALL SELECT project, sha256, 'it never came whole' FROM samples \
             WHERE state = 'receiving' AND NOT hold AND updated_ms < $2 LIMIT 1000")
        .bind(now_ms)
        .bind(now_ms - UNFINISHED_MS);
        for row in self.pools.all(select).await? {
            let mut f = row.fields();
            let (project, sha256, why) = (f.text()?, f.bytes()?, f.text()?);
            match self.delete_sample(&project, &sha256, "", &why, now_ms).await {
                // Held or forgotten since.
                Ok(_) | Err(StoreError::Conflict(_) | StoreError::NotFound(_)) => {}
                Err(e) => return Err(e),
            }
        }
        let mut select = Sql::built(format!("SELECT {SAMPLE} FROM samples WHERE state = 'deleting' "));
        select.push("ORDER BY updated_ms, project, sha256 LIMIT 1000");
        self.pools.all(select).await?.iter().map(|r| read_sample(&mut r.fields())).collect()
    }
}
