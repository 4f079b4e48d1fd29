// SPDX-License-Identifier: Apache-2.0
//! What hosts had when they begin anew, are removed or go to another project; and a project's all.

use super::inventory::{Told, put_files};
use crate::Store;
use crate::db::conn::Tx;
use crate::db::sql::{Sql, sql};
use crate::error::{Result, StoreError};
use std::collections::BTreeMap;

/// The files that a host has, to be counted.
async fn had(tx: &mut Tx, (project, host): (&str, &str)) -> Result<BTreeMap<Vec<u8>, Told>> {
    let select = sql("SELECT sha256, size, kind, packaged, first_ms, last_ms FROM host_files \
         WHERE host = $1 AND project = $2 AND NOT gone")
    .bind(host)
    .bind(project);
    let mut out: BTreeMap<Vec<u8>, Told> = BTreeMap::new();
    for row in tx.all(select).await? {
        let mut f = row.fields();
        let sha256 = f.bytes()?;
        let (size, kind, packaged) = (f.int()?, f.text()?, f.flag()?);
        let (first_ms, last_ms) = (f.int()?, f.int()?);
        let told = out.entry(sha256).or_insert_with(|| Told { first_ms, ..Told::default() });
        told.size = size;
        told.kind = kind;
        told.first_ms = told.first_ms.min(first_ms);
        told.last_ms = told.last_ms.max(last_ms);
        told.hosts = 1;
        told.packaged_hosts = told.packaged_hosts.max(i64::from(packaged));
    }
    Ok(out)
}

/// This host has nothing any more.
pub(super) async fn take_off(tx: &mut Tx, (project, host): (&str, &str), now_ms: i64) -> Result<()> {
    let mut told = had(tx, (project, host)).await?;
    for t in told.values_mut() {
        (t.hosts, t.packaged_hosts) = (-t.hosts, -t.packaged_hosts);
        t.last_ms = 0;
    }
    put_files(tx, project, told, now_ms).await?;
    tx.run(sql("DELETE FROM host_files WHERE host = $1").bind(host)).await?;
    Ok(())
}

/// A host that is removed; its row is locked already.
pub(crate) async fn forget_host(tx: &mut Tx, project: &str, host: &str, now_ms: i64) -> Result<()> {
    take_off(tx, (project, host), now_ms).await
}

/// A host goes to another project, with what it has; its row is locked already. Verdicts and samples stay.
pub(crate) async fn change_project(tx: &mut Tx, host: &str, from: &str, to: &str, now_ms: i64) -> Result<()> {
    let told = had(tx, (from, host)).await?;
    let mut less = told.clone();
    for t in less.values_mut() {
        (t.hosts, t.packaged_hosts) = (-t.hosts, -t.packaged_hosts);
        t.last_ms = 0;
    }
    let mut more = told;
    for t in more.values_mut() {
        t.first_host = host.to_owned();
    }
    // Two hosts that change places: both write in the same order.
    let both = if from < to { [(from, less), (to, more)] } else { [(to, more), (from, less)] };
    for (project, told) in both {
        put_files(tx, project, told, now_ms).await?;
    }
    tx.run(sql("UPDATE host_files SET project = $2 WHERE host = $1").bind(host).bind(to)).await?;
    Ok(())
}

impl Store {
    /// Forgets all that Malware Cloud Scan knows of a project, before the project itself goes.
    ///
    /// # Errors
    /// `Conflict` while samples of it are stored, or its hosts are there: delete and move them first.
    pub async fn forget_cloud(&self, project: &str) -> Result<()> {
        let mut tx = self.begin().await?;
        for (what, select) in [
            ("samples", "SELECT count(*) FROM samples WHERE project = $1 AND state <> 'deleted'"),
            ("hosts", "SELECT count(*) FROM hosts WHERE project = $1 AND NOT removed"),
        ] {
            let row = tx.one(sql(select).bind(project)).await?;
            let left = row.map_or(Ok(0), |r| r.fields().int())?;
            if left > 0 {
                return Err(StoreError::Conflict(format!(
                    "project {project:?} has {left} {what} still: delete or move them first"
                )));
            }
        }
        for table in
            ["samples", "deep_scans", "cloud_feeds", "file_verdicts", "files", "host_files", "cloud_consents"]
        {
            tx.run(Sql::built(format!("DELETE FROM {table} WHERE project = $1")).bind(project)).await?;
        }
        self.commit(tx).await
    }
}
