// SPDX-License-Identifier: Apache-2.0
//! How each host of a scan stands.

use crate::db::conn::Tx;
use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, sql};
use crate::db::value::{Fields, Value};
use crate::error::{Result, StoreError};
use crate::{ChangeKind, Cursor, Page, ScanHostRow, Store};

pub(super) const HOST_COLUMNS: &str = "task, host, command, state, start_ms, started_ms, updated_ms, finished_ms, \
     files, bytes, found, errors, permille, reason";

pub(super) const INSERT: &str = "INSERT INTO scan_hosts (task, host, command, state, start_ms, started_ms, \
     updated_ms, finished_ms, files, bytes, found, errors, permille, reason)";

pub(super) fn read_host(f: &mut Fields<'_>) -> Result<ScanHostRow> {
    Ok(ScanHostRow {
        task: f.text()?,
        host: f.text()?,
        command: f.text()?,
        state: f.text()?,
        start_ms: f.int()?,
        started_ms: f.int()?,
        updated_ms: f.int()?,
        finished_ms: f.int()?,
        files: f.int()?,
        bytes: f.int()?,
        found: f.int()?,
        errors: f.int()?,
        permille: f.int()?,
        reason: f.text()?,
    })
}

pub(super) fn values(h: &ScanHostRow, task: &str) -> Vec<Value> {
    vec![
        task.into(),
        (&h.host).into(),
        (&h.command).into(),
        (&h.state).into(),
        h.start_ms.into(),
        h.started_ms.into(),
        h.updated_ms.into(),
        h.finished_ms.into(),
        h.files.into(),
        h.bytes.into(),
        h.found.into(),
        h.errors.into(),
        h.permille.into(),
        (&h.reason).into(),
    ]
}

/// Ends a task whose last host has ended.
pub(super) async fn end_task(tx: &mut Tx, task: &str, now_ms: i64) -> Result<()> {
    tx.run(
        sql("UPDATE scan_tasks SET state = 'finish', finished_ms = $2 WHERE id = $1 AND state IN ('scanning', 'paused') \
             AND NOT EXISTS (SELECT 1 FROM scan_hosts WHERE task = $1 AND state IN ('waiting', 'scanning', 'paused'))")
        .bind(task)
        .bind(now_ms),
    )
    .await?;
    Ok(())
}

impl Store {
    /// Hosts of a scan by id, in any of the states, or all.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn scan_hosts_page(
        &self,
        task: &str,
        states: &[String],
        cursor: &Cursor,
    ) -> Result<Page<ScanHostRow>> {
        let mut w = Filter::new();
        w.value("task =", task);
        w.any("state", states.iter());
        let order = Order { first: "host", second: "task", kind: Kind::Alphabet };
        page(&self.pools, (HOST_COLUMNS, "scan_hosts"), &w, &order, cursor, read_host).await
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn scan_host(&self, task: &str, host: &str) -> Result<ScanHostRow> {
        let mut w = Filter::new();
        w.value("task =", task);
        w.value("host =", host);
        let row = self.pools.one(w.select(HOST_COLUMNS, "scan_hosts")).await?;
        read_host(&mut row.ok_or_else(|| StoreError::missing("host of the scan", host))?.fields())
    }

    /// Hosts whose turn has come, of scans that are not paused.
    ///
    /// # Errors
    /// Of the database.
    pub async fn due_scan_hosts(&self, now_ms: i64, limit: u32) -> Result<Vec<ScanHostRow>> {
        let mut w = Filter::new();
        w.and("state = 'waiting'");
        w.and("task NOT IN (SELECT id FROM scan_tasks WHERE state = 'paused')");
        w.value("start_ms <=", now_ms);
        let mut select = w.select(HOST_COLUMNS, "scan_hosts");
        select.push(" ORDER BY start_ms, task, host LIMIT ");
        select.arg(limit);
        self.pools.all(select).await?.iter().map(|r| read_host(&mut r.fields())).collect()
    }

    /// Scans that a host takes part in and has not ended: it cannot be picked again.
    ///
    /// # Errors
    /// Of the database.
    pub async fn scans_of_host(&self, host: &str) -> Result<Vec<ScanHostRow>> {
        let mut w = Filter::new();
        w.value("host =", host);
        w.and("state IN ('waiting', 'scanning', 'paused')");
        let mut select = w.select(HOST_COLUMNS, "scan_hosts");
        select.push(" ORDER BY task LIMIT 1000");
        self.pools.all(select).await?.iter().map(|r| read_host(&mut r.fields())).collect()
    }

    /// News of a host; false when it had ended already, or is not part of the task. The last host that ends
    /// ends the task.
    ///
    /// # Errors
    /// `NotFound` for an unknown task.
    pub async fn update_scan_host(&self, h: &ScanHostRow) -> Result<bool> {
        let project = self.scan_task(&h.task).await?.project;
        let mut tx = self.begin().await?;
        // Of two hosts that end at once, each must see the other.
        let lock = if tx.is_postgres() {
            sql("SELECT id FROM scan_tasks WHERE id = $1 FOR UPDATE")
        } else {
            sql("SELECT id FROM scan_tasks WHERE id = $1")
        };
        tx.all(lock.bind(&h.task)).await?;
        let update = sql("UPDATE scan_hosts SET command = $3, state = $4, start_ms = $5, started_ms = $6, \
             updated_ms = $7, finished_ms = $8, files = $9, bytes = $10, found = $11, errors = $12, permille = $13, \
             reason = $14 WHERE task = $1 AND host = $2 AND state IN ('waiting', 'scanning', 'paused')")
        .bind(&h.task)
        .bind(&h.host)
        .bind(&h.command)
        .bind(&h.state)
        .bind(h.start_ms)
        .bind(h.started_ms)
        .bind(h.updated_ms)
        .bind(h.finished_ms)
        .bind(h.files)
        .bind(h.bytes)
        .bind(h.found)
        .bind(h.errors)
        .bind(h.permille)
        .bind(&h.reason);
        let changed = tx.run(update).await? > 0;
        if changed && h.finished_ms > 0 {
            end_task(&mut tx, &h.task, h.finished_ms).await?;
        }
        self.commit(tx).await?;
        if changed {
            self.note_change(&project, ChangeKind::Scan, &h.task);
        }
        Ok(changed)
    }
}
