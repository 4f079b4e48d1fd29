// SPDX-License-Identifier: Apache-2.0
//! Orders are sent and end: by a result, a person or the clock; once.

use super::{COLUMNS, read};
use crate::db::sql::{Sql, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{ChangeKind, CommandEnd, CommandRow, Store};

impl Store {
    /// They went to their hosts.
    ///
    /// # Errors
    /// Of the database.
    pub async fn mark_sent(&self, ids: &[String], now_ms: i64) -> Result<u64> {
        let mut n = 0;
        for part in ids.chunks(500) {
            let mut update =
                sql("UPDATE commands SET state = 'sent', sent_ms = $1 WHERE state = 'pending' AND id IN ")
                    .bind(now_ms);
            update.list(part);
            n += self.ended(update).await?.len() as u64;
        }
        Ok(n)
    }

    /// A result came. The first one counts; false for a later one, an unknown command or another host's.
    ///
    /// # Errors
    /// Of the database.
    pub async fn finish_command(&self, end: &CommandEnd) -> Result<bool> {
        Ok(self.finish_commands(std::slice::from_ref(end)).await? == [true])
    }

    /// The same for many in one transaction: thousands of hosts answer one order at once.
    ///
    /// # Errors
    /// Of the database; then none is written.
    pub async fn finish_commands(&self, ends: &[CommandEnd]) -> Result<Vec<bool>> {
        let mut tx = self.begin().await?;
        let (mut first, mut changed) = (Vec::with_capacity(ends.len()), Vec::new());
        for end in ends {
            let update = sql("UPDATE commands SET state = $3, reason = $4, finished_ms = $5, result = $6 \
                 WHERE id = $1 AND host = $2 AND state IN ('pending', 'sent') RETURNING project")
            .bind(&end.id)
            .bind(&end.host)
            .bind(&end.state)
            .bind(&end.reason)
            .bind(end.at_ms)
            .bind(&end.result);
            let row = tx.one(update).await?;
            first.push(row.is_some());
            if let Some(row) = row {
                changed.push((row.fields().text()?, &end.host));
            }
        }
        self.commit(tx).await?;
        for (project, host) in changed {
            self.note_change(&project, ChangeKind::Command, host);
        }
        Ok(first)
    }

    /// A person takes an order back: what was not sent ends at once, what was is asked to end. The order as
    /// it is now; one that has ended is left as it is.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn cancel_command(&self, id: &str, who: &str, now_ms: i64) -> Result<CommandRow> {
        self.ended(cancel("id = $3", id, who, now_ms)).await?;
        self.command(id).await
    }

    /// The same for all orders of a task; how many it concerned.
    ///
    /// # Errors
    /// Of the database.
    pub async fn cancel_task(&self, task: &str, who: &str, now_ms: i64) -> Result<u64> {
        Ok(self.ended(cancel("task = $3 AND task <> ''", task, who, now_ms)).await?.len() as u64)
    }

    /// Orders of these hosts that were sent and are to end.
    ///
    /// # Errors
    /// Of the database.
    pub async fn cancels(&self, hosts: &[String]) -> Result<Vec<CommandRow>> {
        let mut found = Vec::new();
        for part in hosts.chunks(500) {
            let mut select = sql("");
            select.push(&format!(
                "SELECT {COLUMNS} FROM commands WHERE state = 'sent' AND cancel AND host IN "
            ));
            select.list(part);
            for row in self.pools.all(select).await? {
                found.push(read(&mut row.fields())?);
            }
        }
        Ok(found)
    }

    /// Ends what is overdue: not sent in time, or sent and without a result for `grace_ms` more. Their ids.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expire_commands(&self, now_ms: i64, grace_ms: i64) -> Result<Vec<String>> {
        let update = sql("UPDATE commands SET state = 'expired', finished_ms = $1, reason = \
             CASE WHEN state = 'pending' THEN 'the host was not there in time' \
             ELSE 'it was sent and no result came in time' END \
             WHERE state IN ('pending', 'sent') AND expires_ms <= $1 AND (state = 'pending' OR expires_ms <= $2)")
        .bind(now_ms)
        .bind(now_ms.saturating_sub(grace_ms));
        let rows = self.ended(update).await?;
        rows.iter()
            .map(|r| {
                let mut f = r.fields();
                f.skip(2);
                f.text()
            })
            .collect()
    }

    /// One order.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn command(&self, id: &str) -> Result<CommandRow> {
        let mut select = sql("");
        select.push(&format!("SELECT {COLUMNS} FROM commands WHERE id = "));
        select.arg(id);
        let row = self.pools.one(select).await?.ok_or_else(|| StoreError::missing("command", id))?;
        read(&mut row.fields())
    }

    /// An update of orders; host, project and id of each.
    async fn ended(&self, mut update: Sql) -> Result<Vec<Row>> {
        update.push(" RETURNING host, project, id");
        let rows = self.write_all(update).await?;
        for row in &rows {
            let mut f = row.fields();
            let (host, project) = (f.text()?, f.text()?);
            self.note_change(&project, ChangeKind::Command, &host);
        }
        Ok(rows)
    }
}

fn cancel(which: &str, id: &str, who: &str, now_ms: i64) -> Sql {
    Sql::built(format!(
        "UPDATE commands SET \
         reason = CASE WHEN state = 'pending' THEN $1 ELSE reason END, \
         finished_ms = CASE WHEN state = 'pending' THEN $2 ELSE finished_ms END, \
         cancel = TRUE, state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END \
         WHERE state IN ('pending', 'sent') AND {which}"
    ))
    .bind(format!("taken back by {who}"))
    .bind(now_ms)
    .bind(id)
}
