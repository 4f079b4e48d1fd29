// SPDX-License-Identifier: Apache-2.0
//! Scans of many hosts.

use super::hosts::{self, HOST_COLUMNS, read_host};
use crate::db::bulk::Bulk;
use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, sql};
use crate::db::value::Fields;
use crate::error::{Result, StoreError};
use crate::fleet::add;
use crate::{ChangeKind, Cursor, Page, ScanHostRow, ScanSummary, ScanTaskRow, Scope, Store};

const COLUMNS: &str = "id, project, policy, name, kind, settings, state, who, created_ms, finished_ms";

fn read(f: &mut Fields<'_>) -> Result<ScanTaskRow> {
    Ok(ScanTaskRow {
        id: f.text()?,
        project: f.text()?,
        policy: f.text()?,
        name: f.text()?,
        kind: f.text()?,
        settings: f.text()?,
        state: f.text()?,
        who: f.text()?,
        created_ms: f.int()?,
        finished_ms: f.int()?,
    })
}

impl Store {
    /// Begins a scan of these hosts.
    ///
    /// # Errors
    /// `Conflict` when the id is taken.
    pub async fn create_scan_task(&self, t: &ScanTaskRow, list: &[ScanHostRow]) -> Result<()> {
        let mut tx = self.begin().await?;
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO scan_tasks ({COLUMNS}) VALUES "));
        insert.list::<crate::db::value::Value>([
            (&t.id).into(),
            (&t.project).into(),
            (&t.policy).into(),
            (&t.name).into(),
            (&t.kind).into(),
            (&t.settings).into(),
            (&t.state).into(),
            (&t.who).into(),
            t.created_ms.into(),
            t.finished_ms.into(),
        ]);
        tx.run(insert).await?;
        let rows = list.iter().map(|h| hosts::values(h, &t.id)).collect();
        Bulk { head: hosts::INSERT, tail: "" }.run(&mut tx, rows).await?;
        self.commit(tx).await?;
        self.note_change(&t.project, ChangeKind::Scan, &t.id);
        Ok(())
    }

    /// One scan.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn scan_task(&self, id: &str) -> Result<ScanTaskRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "scan_tasks")).await?;
        read(&mut row.ok_or_else(|| StoreError::missing("scan task", id))?.fields())
    }

    /// The newest scan of a policy in a project.
    ///
    /// # Errors
    /// Of the database.
    pub async fn last_scan_of_policy(&self, project: &str, policy: &str) -> Result<Option<ScanTaskRow>> {
        let mut w = Filter::new();
        w.value("project =", project);
        w.value("policy =", policy);
        let mut select = w.select(COLUMNS, "scan_tasks");
        select.push(" ORDER BY created_ms DESC, id DESC LIMIT 1");
        self.pools.one(select).await?.map(|row| read(&mut row.fields())).transpose()
    }

    /// Scans, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn scan_tasks_page(&self, scope: &Scope, cursor: &Cursor) -> Result<Page<ScanTaskRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        let order = Order { first: "created_ms", second: "id", kind: Kind::NewestFirst };
        page(&self.pools, (COLUMNS, "scan_tasks"), &w, &order, cursor, read).await
    }

    /// Takes a scan back: hosts that wait end at once. Those that run are given, for their commands.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn cancel_scan_task(&self, task: &str, now_ms: i64) -> Result<Vec<ScanHostRow>> {
        let project = self.scan_task(task).await?.project;
        let mut tx = self.begin().await?;
        tx.run(
            sql("UPDATE scan_hosts SET state = 'cancel', updated_ms = $2, finished_ms = $2 \
                 WHERE task = $1 AND state = 'waiting'")
            .bind(task)
            .bind(now_ms),
        )
        .await?;
        hosts::end_task(&mut tx, task, now_ms).await?;
        let mut select = sql("");
        select.push(&format!("SELECT {HOST_COLUMNS} FROM scan_hosts WHERE task = "));
        select.arg(task);
        select.push(" AND state IN ('scanning', 'paused') ORDER BY host");
        let running =
            tx.all(select).await?.iter().map(|r| read_host(&mut r.fields())).collect::<Result<Vec<_>>>()?;
        self.commit(tx).await?;
        self.note_change(&project, ChangeKind::Scan, task);
        Ok(running)
    }

    /// Pauses a scan, or lets it go on: hosts that wait for their turn wait on. Those that have begun and
    /// have not ended are given, for their commands.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it has ended.
    pub async fn pause_scan_task(&self, task: &str, paused: bool) -> Result<Vec<ScanHostRow>> {
        let project = self.scan_task(task).await?.project;
        let mut tx = self.begin().await?;
        let set = sql("UPDATE scan_tasks SET state = $2 WHERE id = $1 AND state IN ('scanning', 'paused')")
            .bind(task)
            .bind(if paused { "paused" } else { "scanning" });
        if tx.run(set).await? == 0 {
            return Err(StoreError::Conflict(format!("the scan {task} has ended")));
        }
        let mut select = sql("");
        select.push(&format!("SELECT {HOST_COLUMNS} FROM scan_hosts WHERE task = "));
        select.arg(task);
        select.push(" AND state IN ('scanning', 'paused') ORDER BY host");
        let begun =
            tx.all(select).await?.iter().map(|r| read_host(&mut r.fields())).collect::<Result<Vec<_>>>()?;
        tx.commit().await?;
        self.note_change(&project, ChangeKind::Scan, task);
        Ok(begun)
    }

    /// How a scan stands.
    ///
    /// # Errors
    /// Of the database.
    pub async fn scan_summary(&self, task: &str) -> Result<ScanSummary> {
        let select = sql("SELECT state, count(*), CAST(sum(found) AS BIGINT), CAST(sum(files) AS BIGINT), \
             CAST(sum(permille) AS BIGINT) FROM scan_hosts WHERE task = $1 GROUP BY state")
        .bind(task);
        let (mut summary, mut permille) = (ScanSummary::default(), 0);
        for row in self.pools.all(select).await? {
            let mut f = row.fields();
            let (state, n) = (f.text()?, f.count()?);
            summary.hosts += n;
            summary.found += f.count()?;
            summary.files += f.count()?;
            permille += f.count()?;
            add(&mut summary.states, state, n);
        }
        summary.permille = permille.checked_div(summary.hosts).unwrap_or(0);
        Ok(summary)
    }
}
