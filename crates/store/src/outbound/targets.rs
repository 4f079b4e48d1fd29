// SPDX-License-Identifier: Apache-2.0
//! Where alarms are told to.

use crate::db::sql::{Filter, sql};
use crate::db::value::{Row, Value};
use crate::error::{Result, StoreError};
use crate::{Scope, Store, TargetRow};

const COLUMNS: &str = "id, project, name, kind, settings, secrets, enabled, revision, updated_ms, updated_by";

fn read(row: &Row) -> Result<TargetRow> {
    let mut f = row.fields();
    Ok(TargetRow {
        id: f.text()?,
        project: f.text()?,
        name: f.text()?,
        kind: f.text()?,
        settings: f.text()?,
        secrets: f.text()?,
        enabled: f.flag()?,
        revision: f.int()?,
        updated_ms: f.int()?,
        updated_by: f.text()?,
    })
}

fn name_taken(name: &str) -> String {
    format!("the project has a target {name:?} already: take another name")
}

fn moved_on(id: &str) -> StoreError {
    StoreError::Conflict(format!(
        "the target {id} was changed or deleted meanwhile: read it again, then decide anew"
    ))
}

impl Store {
    /// Makes one, with revision 1; it is told what comes from now on.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn create_target(&self, t: &TargetRow) -> Result<()> {
        let mut tx = self.begin().await?;
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO targets ({COLUMNS}) VALUES "));
        insert.list::<Value>([
            (&t.id).into(),
            (&t.project).into(),
            (&t.name).into(),
            (&t.kind).into(),
            (&t.settings).into(),
            (&t.secrets).into(),
            t.enabled.into(),
            1_i64.into(),
            t.updated_ms.into(),
            (&t.updated_by).into(),
        ]);
        tx.run(insert).await.map_err(|e| e.taken(|| name_taken(&t.name)))?;
        tx.run(
            sql("INSERT INTO target_states (target, cursor_seq, pending_to, failures, retry_ms, digest_ms, sent, \
                 missed, ok_ms, error, error_ms) \
                 SELECT $1, COALESCE(max(seq), 0), 0, 0, 0, 0, 0, 0, 0, '', 0 FROM notices")
            .bind(&t.id),
        )
        .await?;
        self.commit(tx).await
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn target(&self, id: &str) -> Result<TargetRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "targets")).await?;
        read(&row.ok_or_else(|| StoreError::missing("target", id))?)
    }

    /// By project and name. Those of every project only for who may see every project.
    ///
    /// # Errors
    /// Of the database.
    pub async fn targets(&self, scope: &Scope) -> Result<Vec<TargetRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        let mut select = w.select(COLUMNS, "targets");
        select.push(" ORDER BY project, name LIMIT 10000");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Changes name, settings, secrets and whether it is on; `revision` is what the caller saw. The row as it
    /// is now. A message that waited for another try is tried at once.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile, or the name is taken.
    pub async fn update_target(&self, t: &TargetRow) -> Result<TargetRow> {
        let mut tx = self.begin().await?;
        let mut update = sql("UPDATE targets SET name = $3, settings = $4, secrets = $5, enabled = $6, \
             updated_ms = $7, updated_by = $8, revision = revision + 1 WHERE id = $1 AND revision = $2 RETURNING ")
        .bind(&t.id)
        .bind(t.revision)
        .bind(&t.name)
        .bind(&t.settings)
        .bind(&t.secrets)
        .bind(t.enabled)
        .bind(t.updated_ms)
        .bind(&t.updated_by);
        update.push(COLUMNS);
        let rows = tx.all(update).await.map_err(|e| e.taken(|| name_taken(&t.name)))?;
        let now = read(rows.first().ok_or_else(|| moved_on(&t.id))?)?;
        tx.run(sql("UPDATE target_states SET retry_ms = 0, digest_ms = 0 WHERE target = $1").bind(&t.id))
            .await?;
        self.commit(tx).await?;
        Ok(now)
    }

    /// Deletes one, with what could not be delivered to it.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile.
    pub async fn delete_target(&self, id: &str, revision: i64) -> Result<()> {
        let delete = sql("DELETE FROM targets WHERE id = $1 AND revision = $2").bind(id).bind(revision);
        match self.write(delete).await? {
            0 => Err(moved_on(id)),
            _ => Ok(()),
        }
    }
}
