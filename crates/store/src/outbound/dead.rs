// SPDX-License-Identifier: Apache-2.0
//! Messages that were given up.

use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, sql};
use crate::db::value::{Fields, Value};
use crate::error::{Result, StoreError};
use crate::{Cursor, DeadLetterRow, Page, Scope, Store};

const COLUMNS: &str = "id, target, project, subject, body, alarms, failed_ms, attempts, error";

fn read(f: &mut Fields<'_>) -> Result<DeadLetterRow> {
    Ok(DeadLetterRow {
        id: f.text()?,
        target: f.text()?,
        project: f.text()?,
        subject: f.text()?,
        body: f.text()?,
        alarms: f.int()?,
        failed_ms: f.int()?,
        attempts: f.int()?,
        error: f.text()?,
    })
}

impl Store {
    /// Keeps one; of the same id there is one.
    ///
    /// # Errors
    /// `Conflict` when the target is gone.
    pub async fn put_dead_letter(&self, d: &DeadLetterRow) -> Result<()> {
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO dead_letters ({COLUMNS}) VALUES "));
        insert.list::<Value>([
            (&d.id).into(),
            (&d.target).into(),
            (&d.project).into(),
            (&d.subject).into(),
            (&d.body).into(),
            d.alarms.into(),
            d.failed_ms.into(),
            d.attempts.into(),
            (&d.error).into(),
        ]);
        insert.push(
            " ON CONFLICT (id) DO UPDATE SET failed_ms = excluded.failed_ms, attempts = excluded.attempts, \
             error = excluded.error",
        );
        self.write(insert).await?;
        Ok(())
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn dead_letter(&self, id: &str) -> Result<DeadLetterRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "dead_letters")).await?;
        read(&mut row.ok_or_else(|| StoreError::missing("undelivered message", id))?.fields())
    }

    /// Newest first; of one target, or (empty) of all.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn dead_letters_page(
        &self,
        scope: &Scope,
        target: &str,
        cursor: &Cursor,
    ) -> Result<Page<DeadLetterRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        w.exact("target", target);
        let order = Order { first: "failed_ms", second: "id", kind: Kind::NewestFirst };
        page(&self.pools, (COLUMNS, "dead_letters"), &w, &order, cursor, read).await
    }

    /// Forgets one; false when somebody was faster.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_dead_letter(&self, id: &str) -> Result<bool> {
        Ok(self.write(sql("DELETE FROM dead_letters WHERE id = $1").bind(id)).await? > 0)
    }

    /// Forgets those that are older.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_dead_letters_before(&self, before_ms: i64) -> Result<u64> {
        self.pools.run(sql("DELETE FROM dead_letters WHERE failed_ms < $1").bind(before_ms)).await
    }
}
