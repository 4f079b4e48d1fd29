// SPDX-License-Identifier: Apache-2.0
//! What hosts are to apply: a number that counts up with each change of it.

use super::host::{HOST_COLUMNS, hosts};
use crate::alarms::facets;
use crate::cloud;
use crate::db::conn::Tx;
use crate::db::migrate::now_ms;
use crate::db::sql::{Sql, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::people::audit;
use crate::{ChangeKind, HostRow, NewAudit, Store, Target};

/// Counts the generation of the hosts up; id and project of each.
pub(crate) async fn bump(tx: &mut Tx, target: &Target) -> Result<Vec<Row>> {
    let (condition, value) = match target {
        Target::Host(id) => ("id = $1", Some(id)),
        Target::Group(id) => ("host_group = $1", Some(id)),
        Target::PolicyGroup(id) => {
            ("host_group IN (SELECT id FROM host_groups WHERE policy_group = $1)", Some(id))
        }
        Target::Project(id) => ("project = $1", Some(id)),
        Target::All => ("TRUE", None),
    };
    let with = |text: String| {
        let statement = Sql::built(text);
        match value {
            Some(value) => statement.bind(value),
            None => statement,
        }
    };
    if tx.is_postgres() {
        // In the order in which ingest locks them: nobody waits in a circle.
        tx.all(with(format!("SELECT id FROM hosts WHERE {condition} ORDER BY id FOR UPDATE"))).await?;
    }
    let update =
        with(format!("UPDATE hosts SET generation = generation + 1 WHERE {condition} RETURNING id, project"));
    tx.all(update).await
}

/// Those of these hosts that are in another project, locked, each with the one it is in.
async fn moving(tx: &mut Tx, ids: &[String], project: &str) -> Result<Vec<(String, String)>> {
    let mut select = sql("SELECT id, project FROM hosts WHERE project <> $1 AND id IN ").bind(project);
    select.list(ids);
    select.push(if tx.is_postgres() { " ORDER BY id FOR UPDATE" } else { " ORDER BY id" });
    let read = |row: &Row| {
        let mut f = row.fields();
        Ok((f.text()?, f.text()?))
    };
    tx.all(select).await?.iter().map(read).collect()
}

impl Store {
    /// What these hosts are to apply changed.
    ///
    /// # Errors
    /// Of the database.
    pub async fn bump_generation(&self, target: &Target) -> Result<u64> {
        let mut tx = self.begin().await?;
        let rows = bump(&mut tx, target).await?;
        self.commit(tx).await?;
        self.note_desired(&rows)
    }

    /// Sets a value of the whole server that is part of what all hosts are to apply.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_for_all(&self, key: &str, value: &str, record: &NewAudit) -> Result<u64> {
        let mut tx = self.begin().await?;
        let set = sql("INSERT INTO meta (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(key)
        .bind(value);
        tx.run(set).await?;
        let rows = bump(&mut tx, &Target::All).await?;
        audit::append(&mut tx, record).await?;
        tx.commit().await?;
        self.note_desired(&rows)
    }

    /// Tells that these are to apply something.
    pub(crate) fn note_desired(&self, rows: &[Row]) -> Result<u64> {
        for row in rows {
            let mut f = row.fields();
            let (id, project) = (f.text()?, f.text()?);
            self.note_change(&project, ChangeKind::Desired, &id);
        }
        Ok(rows.len() as u64)
    }

    /// Hosts on this gateway that have not applied the newest.
    ///
    /// # Errors
    /// Of the database.
    pub async fn hosts_behind(&self, gateway: &str, limit: u32) -> Result<Vec<HostRow>> {
        let mut select = sql("");
        select.push(&format!(
            "SELECT {HOST_COLUMNS} FROM hosts WHERE generation_applied < generation AND gateway = "
        ));
        select.arg(gateway);
        select.push(" ORDER BY id LIMIT ");
        select.arg(limit);
        hosts(&self.pools.all(select).await?)
    }

    /// What a host applied, and what of it it refused; an older number changes nothing.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_applied(&self, host: &str, generation: i64, refused: &[String]) -> Result<()> {
        let update = sql("UPDATE hosts SET \
             refused = CASE WHEN generation_applied <= $2 THEN $3 ELSE refused END, \
             generation_applied = CASE WHEN generation_applied < $2 THEN $2 ELSE generation_applied END \
             WHERE id = $1 RETURNING project")
        .bind(host)
        .bind(generation)
        .bind(refused.join("\n"));
        self.changed_host(update, host).await
    }

    /// Puts hosts into a group, or none; they are to apply its settings.
    ///
    /// # Errors
    /// `Conflict` when the group does not exist or is another project's.
    pub async fn set_host_group(&self, ids: &[String], group: Option<&str>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let mut all = Vec::new();
        for part in ids.chunks(500) {
            let mut update =
                sql("UPDATE hosts SET host_group = $1, generation = generation + 1 WHERE ").bind(group);
            if group.is_some() {
                update.push("project IN (SELECT project FROM host_groups WHERE id = $1) AND ");
            }
            update.push("id IN ");
            update.list(part);
            update.push(" RETURNING id, project");
            all.extend(tx.all(update).await?);
        }
        if let Some(group) = group
            && all.len() < ids.len()
        {
            return Err(StoreError::Conflict(format!(
                "{} of {} hosts do not exist or are not of the project of group {group}: take hosts of its project",
                ids.len() - all.len(),
                ids.len()
            )));
        }
        self.commit(tx).await?;
        self.note_hosts(&all)?;
        self.note_desired(&all)
    }

    /// Sets `important`, `common` or `test`.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_host_importance(&self, ids: &[String], importance: &str) -> Result<u64> {
        let mut n = 0;
        for part in ids.chunks(500) {
            let mut update = sql("UPDATE hosts SET importance = $1 WHERE id IN ").bind(importance);
            update.list(part);
            update.push(" RETURNING id, project");
            n += self.changed_hosts(update).await?;
        }
        Ok(n)
    }

    /// Moves hosts to a project with their alarms, isolated files, commands and inventory; they leave their group.
    /// What the old project knows of their files (verdicts, samples) stays with it.
    ///
    /// # Errors
    /// `Conflict` when the project does not exist.
    pub async fn set_host_project(&self, ids: &[String], project: &str) -> Result<u64> {
        let mut tx = self.begin().await?;
        let mut all = Vec::new();
        for part in ids.chunks(500) {
            let moved = moving(&mut tx, part, project).await?;
            let mut update =
                sql("UPDATE hosts SET project = $1, host_group = NULL, generation = generation + 1 \
                 WHERE project <> $1 AND id IN ")
                .bind(project);
            update.list(part);
            update.push(" RETURNING id, project");
            all.extend(tx.all(update).await?);
            facets::change_project(&mut tx, part, project).await?;
            for (host, from) in moved {
                cloud::change_project(&mut tx, &host, &from, project, now_ms()).await?;
            }
            for table in ["isolated", "commands", "handlings"] {
                let mut update =
                    Sql::built(format!("UPDATE {table} SET project = $1 WHERE project <> $1 AND host IN "))
                        .bind(project);
                update.list(part);
                tx.run(update).await?;
            }
        }
        self.commit(tx).await?;
        self.note_hosts(&all)?;
        self.note_desired(&all)
    }
}
