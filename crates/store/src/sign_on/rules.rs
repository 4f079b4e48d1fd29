// SPDX-License-Identifier: Apache-2.0
//! What a project asks of its people.

use crate::db::conn::Tx;
use crate::db::sql::{Sql, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{ProjectRulesRow, Store};

fn statement(r: &ProjectRulesRow) -> Sql {
    sql("INSERT INTO project_rules (project, second_factor, two_person, most_hosts, most_files, \
         approval_hours, revision, updated_ms, updated_by) SELECT $1, $2, $3, $4, $5, $6, 1, $7, $8 \
         WHERE $9 = 0 OR EXISTS (SELECT 1 FROM project_rules WHERE project = $1) \
         ON CONFLICT (project) DO UPDATE SET second_factor = excluded.second_factor, \
         two_person = excluded.two_person, most_hosts = excluded.most_hosts, \
         most_files = excluded.most_files, approval_hours = excluded.approval_hours, \
         revision = project_rules.revision + 1, updated_ms = excluded.updated_ms, \
         updated_by = excluded.updated_by WHERE project_rules.revision = $9 RETURNING revision")
    .bind(&r.project)
    .bind(r.second_factor)
    .bind(r.two_person)
    .bind(r.most_hosts)
    .bind(r.most_files)
    .bind(r.approval_hours)
    .bind(r.updated_ms)
    .bind(&r.updated_by)
    .bind(r.revision)
}

fn revision(rows: &[Row], r: &ProjectRulesRow) -> Result<i64> {
    let row = rows.first().ok_or_else(|| {
        StoreError::Conflict(format!(
            "the rules of project {:?} are no longer at revision {}: read them again",
            r.project, r.revision
        ))
    })?;
    row.fields().int()
}

/// Sets them in a transaction; the new revision.
pub(crate) async fn put(tx: &mut Tx, r: &ProjectRulesRow) -> Result<i64> {
    let rows = tx.all(statement(r)).await?;
    revision(&rows, r)
}

impl Store {
    /// Of a project; those that hold when nobody set any, with revision 0.
    ///
    /// # Errors
    /// Of the database.
    pub async fn project_rules(&self, project: &str) -> Result<ProjectRulesRow> {
        let select =
            sql("SELECT project, second_factor, two_person, most_hosts, most_files, approval_hours, \
             revision, updated_ms, updated_by FROM project_rules WHERE project = $1")
            .bind(project);
        let Some(row) = self.pools.one(select).await? else { return Ok(ProjectRulesRow::unset(project)) };
        let mut f = row.fields();
        Ok(ProjectRulesRow {
            project: f.text()?,
            second_factor: f.flag()?,
            two_person: f.flag()?,
            most_hosts: f.int()?,
            most_files: f.int()?,
            approval_hours: f.int()?,
            revision: f.int()?,
            updated_ms: f.int()?,
            updated_by: f.text()?,
        })
    }

    /// Sets them, when the revision is still the one of `r`; the new revision.
    ///
    /// # Errors
    /// `Conflict` when somebody else was first.
    pub async fn set_project_rules(&self, r: &ProjectRulesRow) -> Result<i64> {
        let rows = self.write_all(statement(r)).await?;
        revision(&rows, r)
    }

    /// Projects whose people need a second factor.
    ///
    /// # Errors
    /// Of the database.
    pub async fn projects_with_second_factor(&self) -> Result<Vec<String>> {
        let select = sql("SELECT project FROM project_rules WHERE second_factor ORDER BY project");
        self.pools.all(select).await?.iter().map(|row| row.fields().text()).collect()
    }
}
