// SPDX-License-Identifier: Apache-2.0
//! Switches of a project.

use super::desired::bump;
use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::db::value::Row;
use crate::error::Result;
use crate::{ChangeKind, Store, SwitchRow, Target};

fn read(row: &Row) -> Result<SwitchRow> {
    let mut f = row.fields();
    Ok(SwitchRow { project: f.text()?, name: f.text()?, on: f.flag()?, who: f.text()?, at_ms: f.int()? })
}

fn never_set(project: &str, name: &str) -> SwitchRow {
    SwitchRow { project: project.into(), name: name.into(), on: false, who: String::new(), at_ms: 0 }
}

/// Sets one in a transaction; the row as it was before, and the hosts that are to apply it.
pub(crate) async fn put(tx: &mut Tx, switch: &SwitchRow) -> Result<(SwitchRow, Vec<Row>)> {
    let select =
        sql("SELECT project, name, is_on, who, at_ms FROM switches WHERE project = $1 AND name = $2")
            .bind(&switch.project)
            .bind(&switch.name);
    let before =
        tx.one(select).await?.as_ref().map_or_else(|| Ok(never_set(&switch.project, &switch.name)), read)?;
    let set = sql("INSERT INTO switches (project, name, is_on, who, at_ms) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (project, name) DO UPDATE SET is_on = excluded.is_on, who = excluded.who, \
         at_ms = excluded.at_ms")
    .bind(&switch.project)
    .bind(&switch.name)
    .bind(switch.on)
    .bind(&switch.who)
    .bind(switch.at_ms);
    tx.run(set).await?;
    let hosts = bump(tx, &Target::Project(switch.project.clone())).await?;
    Ok((before, hosts))
}

impl Store {
    /// One switch; off when it was never set.
    ///
    /// # Errors
    /// Of the database.
    pub async fn switch(&self, project: &str, name: &str) -> Result<SwitchRow> {
        let select =
            sql("SELECT project, name, is_on, who, at_ms FROM switches WHERE project = $1 AND name = $2")
                .bind(project)
                .bind(name);
        self.pools.one(select).await?.as_ref().map_or_else(|| Ok(never_set(project, name)), read)
    }

    /// Those that were set.
    ///
    /// # Errors
    /// Of the database.
    pub async fn switches(&self, project: &str) -> Result<Vec<SwitchRow>> {
        let select =
            sql("SELECT project, name, is_on, who, at_ms FROM switches WHERE project = $1 ORDER BY name")
                .bind(project);
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Sets one; the project's hosts are to apply it. The row as it was before.
    ///
    /// # Errors
    /// `Conflict` when the project does not exist.
    pub async fn set_switch(&self, switch: &SwitchRow) -> Result<SwitchRow> {
        let mut tx = self.begin().await?;
        let (before, hosts) = put(&mut tx, switch).await?;
        self.commit(tx).await?;
        self.note_change(&switch.project, ChangeKind::Desired, "");
        self.note_desired(&hosts)?;
        Ok(before)
    }
}
