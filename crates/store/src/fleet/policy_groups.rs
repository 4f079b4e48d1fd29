// SPDX-License-Identifier: Apache-2.0
//! Policy groups.

use super::desired::bump;
use super::groups::moved_on;
use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{PolicyGroupRow, Scope, Store, Target};

const COLUMNS: &str = "id, project, name, description, settings, revision, updated_ms, updated_by";

fn read(row: &Row) -> Result<PolicyGroupRow> {
    let mut f = row.fields();
    Ok(PolicyGroupRow {
        id: f.text()?,
        project: f.text()?,
        name: f.text()?,
        description: f.text()?,
        settings: f.text()?,
        revision: f.int()?,
        updated_ms: f.int()?,
        updated_by: f.text()?,
    })
}

fn name_taken(name: &str) -> String {
    format!("the project has a policy group {name:?} already: take another name")
}

impl Store {
    /// Makes one; it begins with revision 1.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn create_policy_group(&self, g: &PolicyGroupRow) -> Result<()> {
        let insert = sql(
            "INSERT INTO policy_groups (id, project, name, description, settings, revision, updated_ms, \
             updated_by) VALUES ($1, $2, $3, $4, $5, 1, $6, $7)",
        )
        .bind(&g.id)
        .bind(&g.project)
        .bind(&g.name)
        .bind(&g.description)
        .bind(&g.settings)
        .bind(g.updated_ms)
        .bind(&g.updated_by);
        self.write(insert).await.map_err(|e| e.taken(|| name_taken(&g.name)))?;
        Ok(())
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn policy_group(&self, id: &str) -> Result<PolicyGroupRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "policy_groups")).await?;
        read(&row.ok_or_else(|| StoreError::missing("policy group", id))?)
    }

    /// By project and name.
    ///
    /// # Errors
    /// Of the database.
    pub async fn policy_groups(&self, scope: &Scope) -> Result<Vec<PolicyGroupRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        let mut select = w.select(COLUMNS, "policy_groups");
        select.push(" ORDER BY project, name");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Changes all but the project; `revision` is what the caller saw. The row as it is now.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile, or the name is taken.
    pub async fn update_policy_group(&self, g: &PolicyGroupRow) -> Result<PolicyGroupRow> {
        let mut tx = self.begin().await?;
        let update =
            sql("UPDATE policy_groups SET name = $3, description = $4, settings = $5, updated_ms = $6, \
             updated_by = $7, revision = revision + 1 WHERE id = $1 AND revision = $2 \
             RETURNING id, project, name, description, settings, revision, updated_ms, updated_by")
            .bind(&g.id)
            .bind(g.revision)
            .bind(&g.name)
            .bind(&g.description)
            .bind(&g.settings)
            .bind(g.updated_ms)
            .bind(&g.updated_by);
        let row = tx.one(update).await.map_err(|e| e.taken(|| name_taken(&g.name)))?;
        let row = row.ok_or_else(|| moved_on("policy group", &g.id))?;
        let hosts = bump(&mut tx, &Target::PolicyGroup(g.id.clone())).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        read(&row)
    }

    /// Deletes one that no host group uses.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile or is in use.
    pub async fn delete_policy_group(&self, id: &str, revision: i64) -> Result<()> {
        let gone = self
            .write(sql("DELETE FROM policy_groups WHERE id = $1 AND revision = $2").bind(id).bind(revision))
            .await
            .map_err(|e| {
                e.taken(|| format!("policy group {id} is used by a host group: give that another one first"))
            })?;
        if gone == 0 { Err(moved_on("policy group", id)) } else { Ok(()) }
    }
}
