// SPDX-License-Identifier: Apache-2.0
//! Host groups.

use super::desired::bump;
use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{HostGroupRow, Scope, Store, Target};

const COLUMNS: &str = "id, project, name, policy_group, revision";

fn read(row: &Row) -> Result<HostGroupRow> {
    let mut f = row.fields();
    Ok(HostGroupRow {
        id: f.text()?,
        project: f.text()?,
        name: f.text()?,
        policy_group: f.maybe_text()?,
        revision: f.int()?,
    })
}

fn name_taken(name: &str) -> String {
    format!("the project has a host group {name:?} already, or its policy group does not exist: look at both")
}

/// Words for a row that is not as the caller saw it.
pub(crate) fn moved_on(what: &str, id: &str) -> StoreError {
    StoreError::Conflict(format!(
        "the {what} {id} was changed or deleted meanwhile: read it again, then decide anew"
    ))
}

impl Store {
    /// Makes one; it begins with revision 1.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn create_host_group(&self, g: &HostGroupRow) -> Result<()> {
        let insert = sql(
            "INSERT INTO host_groups (id, project, name, policy_group, revision) VALUES ($1, $2, $3, $4, 1)",
        )
        .bind(&g.id)
        .bind(&g.project)
        .bind(&g.name)
        .bind(&g.policy_group);
        self.write(insert).await.map_err(|e| e.taken(|| name_taken(&g.name)))?;
        Ok(())
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn host_group(&self, id: &str) -> Result<HostGroupRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "host_groups")).await?;
        read(&row.ok_or_else(|| StoreError::missing("host group", id))?)
    }

    /// By project and name.
    ///
    /// # Errors
    /// Of the database.
    pub async fn host_groups(&self, scope: &Scope) -> Result<Vec<HostGroupRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        let mut select = w.select(COLUMNS, "host_groups");
        select.push(" ORDER BY project, name");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Changes name and policy group; `revision` is what the caller saw. The row as it is now.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile, or the name is taken.
    pub async fn update_host_group(&self, g: &HostGroupRow) -> Result<HostGroupRow> {
        let mut tx = self.begin().await?;
        let update = sql("UPDATE host_groups SET name = $3, policy_group = $4, revision = revision + 1 \
             WHERE id = $1 AND revision = $2 RETURNING id, project, name, policy_group, revision")
        .bind(&g.id)
        .bind(g.revision)
        .bind(&g.name)
        .bind(&g.policy_group);
        let row = tx.one(update).await.map_err(|e| e.taken(|| name_taken(&g.name)))?;
        let row = row.ok_or_else(|| moved_on("host group", &g.id))?;
        let hosts = bump(&mut tx, &Target::Group(g.id.clone())).await?;
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        read(&row)
    }

    /// Deletes one; its hosts have no group then.
    ///
    /// # Errors
    /// `Conflict` when it was changed meanwhile.
    pub async fn delete_host_group(&self, id: &str, revision: i64) -> Result<()> {
        let mut tx = self.begin().await?;
        let hosts = tx
            .all(
                sql("UPDATE hosts SET host_group = NULL, generation = generation + 1 WHERE host_group = $1 \
                     RETURNING id, project")
                .bind(id),
            )
            .await?;
        tx.run(sql("DELETE FROM whitelist WHERE scope = 'group' AND scope_id = $1").bind(id)).await?;
        let gone = tx
            .run(sql("DELETE FROM host_groups WHERE id = $1 AND revision = $2").bind(id).bind(revision))
            .await?;
        if gone == 0 {
            return Err(moved_on("host group", id));
        }
        self.commit(tx).await?;
        self.note_desired(&hosts)?;
        Ok(())
    }
}
