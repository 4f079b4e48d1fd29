// SPDX-License-Identifier: Apache-2.0
//! Plans of scans.

use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{ScanPolicyRow, Scope, Store};

const COLUMNS: &str = "id, project, name, kind, settings, next_ms, revision, updated_ms, updated_by";

fn read(row: &Row) -> Result<ScanPolicyRow> {
    let mut f = row.fields();
    Ok(ScanPolicyRow {
        id: f.text()?,
        project: f.text()?,
        name: f.text()?,
        kind: f.text()?,
        settings: f.text()?,
        next_ms: f.int()?,
        revision: f.int()?,
        updated_ms: f.int()?,
        updated_by: f.text()?,
    })
}

fn name_taken(name: &str) -> String {
    format!("the project has a scan policy {name:?} already: take another name")
}

fn moved_on(id: &str) -> StoreError {
    StoreError::Conflict(format!(
        "the scan policy {id} was changed or deleted meanwhile: read it again, then decide anew"
    ))
}

impl Store {
    /// Makes one; it begins with revision 1.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn create_scan_policy(&self, p: &ScanPolicyRow) -> Result<()> {
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO scan_policies ({COLUMNS}) VALUES "));
        insert.list::<crate::db::value::Value>([
            (&p.id).into(),
            (&p.project).into(),
            (&p.name).into(),
            (&p.kind).into(),
            (&p.settings).into(),
            p.next_ms.into(),
            1_i64.into(),
            p.updated_ms.into(),
            (&p.updated_by).into(),
        ]);
        self.write(insert).await.map_err(|e| e.taken(|| name_taken(&p.name)))?;
        Ok(())
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn scan_policy(&self, id: &str) -> Result<ScanPolicyRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "scan_policies")).await?;
        read(&row.ok_or_else(|| StoreError::missing("scan policy", id))?)
    }

    /// By project and name.
    ///
    /// # Errors
    /// Of the database.
    pub async fn scan_policies(&self, scope: &Scope) -> Result<Vec<ScanPolicyRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        let mut select = w.select(COLUMNS, "scan_policies");
        select.push(" ORDER BY project, name");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Changes all but the project; `revision` is what the caller saw. The row as it is now.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile, or the name is taken.
    pub async fn update_scan_policy(&self, p: &ScanPolicyRow) -> Result<ScanPolicyRow> {
        let mut update = sql("UPDATE scan_policies SET name = $3, kind = $4, settings = $5, next_ms = $6, \
             updated_ms = $7, updated_by = $8, revision = revision + 1 WHERE id = $1 AND revision = $2 RETURNING ")
        .bind(&p.id)
        .bind(p.revision)
        .bind(&p.name)
        .bind(&p.kind)
        .bind(&p.settings)
        .bind(p.next_ms)
        .bind(p.updated_ms)
        .bind(&p.updated_by);
        update.push(COLUMNS);
        let rows = self.write_all(update).await.map_err(|e| e.taken(|| name_taken(&p.name)))?;
        read(rows.first().ok_or_else(|| moved_on(&p.id))?)
    }

    /// Deletes one; its tasks stay.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile.
    pub async fn delete_scan_policy(&self, id: &str, revision: i64) -> Result<()> {
        let delete = sql("DELETE FROM scan_policies WHERE id = $1 AND revision = $2").bind(id).bind(revision);
        match self.write(delete).await? {
            0 => Err(moved_on(id)),
            _ => Ok(()),
        }
    }

    /// Those whose time has come.
    ///
    /// # Errors
    /// Of the database.
    pub async fn due_scan_policies(&self, now_ms: i64) -> Result<Vec<ScanPolicyRow>> {
        let mut w = Filter::new();
        w.and("next_ms > 0");
        w.value("next_ms <=", now_ms);
        let mut select = w.select(COLUMNS, "scan_policies");
        select.push(" ORDER BY next_ms, id LIMIT 1000");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Takes one that is due: of several workers one gets true. Its revision stays.
    ///
    /// # Errors
    /// Of the database.
    pub async fn claim_scan_policy(&self, id: &str, was_next_ms: i64, next_ms: i64) -> Result<bool> {
        let update = sql("UPDATE scan_policies SET next_ms = $3 WHERE id = $1 AND next_ms = $2")
            .bind(id)
            .bind(was_next_ms)
            .bind(next_ms);
        Ok(self.write(update).await? > 0)
    }
}
