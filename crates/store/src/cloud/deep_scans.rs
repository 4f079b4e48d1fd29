// SPDX-License-Identifier: Apache-2.0
//! Deep scans: queued, looked at, queued again.

use super::{check_hash, missing, standing};
use crate::db::conn::Tx;
use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, sql};
use crate::db::value::Fields;
use crate::error::{Result, StoreError};
use crate::{DeepScanRow, DeepScansQuery, Page, Store};

pub(super) const LISTED: &str = "id, project, sha256, state, due_ms, queued_ms, started_ms, finished_ms, worker, \
     tries, crashes, reason, standing, votes";

pub(super) fn read_listed(f: &mut Fields<'_>) -> Result<DeepScanRow> {
    Ok(DeepScanRow {
        id: f.text()?,
        project: f.text()?,
        sha256: f.bytes()?,
        state: f.text()?,
        due_ms: f.int()?,
        queued_ms: f.int()?,
        started_ms: f.int()?,
        finished_ms: f.int()?,
        worker: f.text()?,
        tries: f.int()?,
        crashes: f.int()?,
        reason: f.text()?,
        standing: f.text()?,
        votes: f.text()?,
        report: Vec::new(),
    })
}

/// Queues one; false when it is queued or under way, or (unless `again`) there was one.
pub(super) async fn queue(
    tx: &mut Tx,
    (project, sha256): (&str, &[u8]),
    now_ms: i64,
    again: bool,
) -> Result<bool> {
    let insert = sql("INSERT INTO deep_scans (id, project, sha256, state, due_ms, queued_ms, started_ms, \
         finished_ms, worker, tries, crashes, reason, standing, votes, report, told) \
         VALUES ($1, $2, $3, 'queued', $4, $4, 0, 0, '', 0, 0, '', '', '', $5, FALSE) \
         ON CONFLICT (project, sha256) DO UPDATE SET state = 'queued', due_ms = excluded.due_ms, \
         queued_ms = excluded.queued_ms, started_ms = 0, finished_ms = 0, worker = '', tries = 0, crashes = 0, \
         reason = '', told = FALSE \
         WHERE deep_scans.state = 'cancelled' OR ($6 AND deep_scans.state IN ('done', 'set_aside'))")
    .bind(uuid::Uuid::now_v7().to_string())
    .bind(project)
    .bind(sha256)
    .bind(now_ms)
    .bind(Vec::<u8>::new())
    .bind(again);
    let queued = tx.run(insert).await? > 0;
    if queued {
        let update = sql("UPDATE files SET standing = 'pending', standing_ms = $3 \
             WHERE project = $1 AND sha256 = $2 AND NOT settled AND standing = 'unknown'")
        .bind(project)
        .bind(sha256)
        .bind(now_ms);
        tx.run(update).await?;
    }
    Ok(queued)
}

/// The sample is going: nobody is to begin with it, and who has it will find out.
pub(super) async fn cancel(tx: &mut Tx, (project, sha256): (&str, &[u8]), now_ms: i64) -> Result<()> {
    let update = sql(
        "UPDATE deep_scans SET state = 'cancelled', finished_ms = $3, reason = 'the sample was deleted' \
         WHERE project = $1 AND sha256 = $2 AND state IN ('queued', 'scanning')",
    )
    .bind(project)
    .bind(sha256)
    .bind(now_ms);
    if tx.run(update).await? > 0 {
        standing::not_pending(tx, (project, sha256), now_ms).await?;
    }
    Ok(())
}

async fn stored(tx: &mut Tx, (project, sha256): (&str, &[u8])) -> Result<()> {
    let row = super::samples::locked(tx, (project, sha256)).await?;
    if row.state == "stored" {
        return Ok(());
    }
    Err(StoreError::Conflict(format!(
        "the sample {} is {}, not stored: a host must send it first",
        crate::db::page::hex(sha256),
        row.state
    )))
}

impl Store {
    /// Queues the deep scan of a stored sample; false when there is one already, or was.
    ///
    /// # Errors
    /// `NotFound` without a sample; `Conflict` when it is not stored (any more).
    pub async fn queue_deep_scan(&self, project: &str, sha256: &[u8], now_ms: i64) -> Result<bool> {
        self.queue_scan(project, sha256, now_ms, false).await
    }

    /// The same, also when there was one, and when it was set aside: it begins anew. What was found before
    /// holds until then.
    ///
    /// # Errors
    /// As `queue_deep_scan`.
    pub async fn rescan(&self, project: &str, sha256: &[u8], now_ms: i64) -> Result<bool> {
        self.queue_scan(project, sha256, now_ms, true).await
    }

    async fn queue_scan(&self, project: &str, sha256: &[u8], now_ms: i64, again: bool) -> Result<bool> {
        check_hash(sha256)?;
        let mut tx = self.begin().await?;
        stored(&mut tx, (project, sha256)).await?;
        let queued = queue(&mut tx, (project, sha256), now_ms, again).await?;
        if queued {
            self.commit(tx).await?;
            self.note_file(project, sha256);
        }
        Ok(queued)
    }

    /// The deep scan of a file of a project, with its report.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn deep_scan(&self, project: &str, sha256: &[u8]) -> Result<DeepScanRow> {
        check_hash(sha256)?;
        let mut w = Filter::new();
        w.value("project =", project);
        w.value("sha256 =", sha256);
        let select = w.select(&format!("{LISTED}, report"), "deep_scans");
        let row = self.pools.one(select).await?.ok_or_else(|| missing("deep scan", sha256))?;
        let mut f = row.fields();
        let mut scan = read_listed(&mut f)?;
        scan.report = f.bytes()?;
        Ok(scan)
    }

    /// Deep scans of a project, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a limit or a cursor that makes no sense.
    pub async fn deep_scans(&self, q: &DeepScansQuery) -> Result<Page<DeepScanRow>> {
        let mut w = Filter::new();
        w.value("project =", &q.project);
        w.any("state", q.states.iter());
        w.any("standing", q.standings.iter());
        let order = Order { first: "queued_ms", second: "id", kind: Kind::NewestFirst };
        page(&self.pools, (LISTED, "deep_scans"), &w, &order, &q.page, read_listed).await
    }

    /// Those that were set aside and nobody was told of, of all projects, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn deep_scans_to_tell(&self, limit: u32) -> Result<Vec<DeepScanRow>> {
        let mut w = Filter::new();
        w.and("state = 'set_aside'");
        w.and("NOT told");
        let mut select = w.select(LISTED, "deep_scans");
        select.push(" ORDER BY finished_ms, id LIMIT ");
        select.arg(limit);
        self.pools.all(select).await?.iter().map(|r| read_listed(&mut r.fields())).collect()
    }

    /// Somebody was told.
    ///
    /// # Errors
    /// Of the database.
    pub async fn deep_scan_told(&self, id: &str) -> Result<()> {
        self.pools.run(sql("UPDATE deep_scans SET told = TRUE WHERE id = $1").bind(id)).await?;
        Ok(())
    }
}
