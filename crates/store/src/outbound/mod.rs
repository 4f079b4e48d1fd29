// SPDX-License-Identifier: Apache-2.0
//! Targets, what is to be told to them, and how far each is.

mod dead;
mod notices;
mod state;
mod targets;

use crate::db::bulk::Bulk;
use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::error::Result;
use crate::{AlarmRow, IsolatedRow, Store};

/// Notes that these were written, in the transaction that writes them: what a crash keeps of the one it
/// keeps of the other. Without targets nobody would read it.
pub(crate) async fn arrive<'a>(
    tx: &mut Tx,
    kind: &'static str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<()> {
    let rows: Vec<Vec<crate::db::value::Value>> = ids.map(|id| vec![kind.into(), id.into()]).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let any = tx.one(sql("SELECT count(*) FROM targets")).await?;
    let wanted = match any {
        Some(row) => row.fields().int()? > 0,
        None => false,
    };
    if wanted {
        Bulk { head: "INSERT INTO arrivals (kind, id)", tail: "" }.run(tx, rows).await?;
    }
    Ok(())
}

impl Store {
    /// These alarms, as many as there are, in no order.
    ///
    /// # Errors
    /// Of the database.
    pub async fn alarms_by_ids(&self, ids: &[String]) -> Result<Vec<AlarmRow>> {
        use crate::alarms::row::{COLUMNS, FROM, read};
        let mut found = Vec::new();
        for part in ids.chunks(500) {
            let mut select = sql("");
            select.push(&format!("SELECT {COLUMNS} FROM {FROM} WHERE id IN "));
            select.list(part);
            for row in self.pools.all(select).await? {
                found.push(read(&mut row.fields())?);
            }
        }
        Ok(found)
    }

    /// These isolated files, as many as there are, in no order.
    ///
    /// # Errors
    /// Of the database.
    pub async fn isolated_by_ids(&self, ids: &[String]) -> Result<Vec<IsolatedRow>> {
        let mut found = Vec::new();
        for part in ids.chunks(500) {
            let mut w = crate::db::sql::Filter::new();
            w.any("id", part.iter());
            for row in self.pools.all(w.select(crate::isolated::COLUMNS, "isolated")).await? {
                found.push(crate::isolated::read(&mut row.fields())?);
            }
        }
        Ok(found)
    }
}
