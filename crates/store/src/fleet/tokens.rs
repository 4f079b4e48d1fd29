// SPDX-License-Identifier: Apache-2.0
//! Rights to enrol.

use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{Scope, Store, TokenRow};

const COLUMNS: &str = "id, hash, project, host_group, expires_ms, uses_left, who, created_ms, note";

fn read(row: &Row) -> Result<TokenRow> {
    let mut f = row.fields();
    Ok(TokenRow {
        id: f.text()?,
        hash: f.bytes()?,
        project: f.text()?,
        group: f.maybe_text()?,
        expires_ms: f.int()?,
        uses_left: f.int()?,
        who: f.text()?,
        created_ms: f.int()?,
        note: f.text()?,
    })
}

impl Store {
    /// Makes one.
    ///
    /// # Errors
    /// `Conflict` when project or group do not exist.
    pub async fn create_token(&self, t: &TokenRow) -> Result<()> {
        let insert = sql("INSERT INTO tokens (id, hash, project, host_group, expires_ms, uses_left, who, created_ms, note) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(&t.id)
        .bind(&t.hash)
        .bind(&t.project)
        .bind(&t.group)
        .bind(t.expires_ms)
        .bind(t.uses_left)
        .bind(&t.who)
        .bind(t.created_ms)
        .bind(&t.note);
        self.write(insert).await?;
        Ok(())
    }

    /// Newest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn tokens(&self, scope: &Scope) -> Result<Vec<TokenRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        let mut select = w.select(COLUMNS, "tokens");
        select.push(" ORDER BY created_ms DESC, id DESC LIMIT 1000");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Uses one once. Two that take the last use at once: one gets it.
    ///
    /// # Errors
    /// `NotFound` when there is none like it, `Conflict` when it is expired or used up.
    pub async fn take_token(&self, hash: &[u8], now_ms: i64) -> Result<TokenRow> {
        let take = sql(
            "UPDATE tokens SET uses_left = CASE WHEN uses_left > 0 THEN uses_left - 1 ELSE uses_left END \
             WHERE hash = $1 AND uses_left <> 0 AND expires_ms > $2 \
             RETURNING id, hash, project, host_group, expires_ms, uses_left, who, created_ms, note",
        )
        .bind(hash)
        .bind(now_ms);
        if let Some(row) = self.write_all(take).await?.first() {
            return read(row);
        }
        let select = sql("SELECT id, expires_ms, uses_left FROM tokens WHERE hash = $1").bind(hash);
        let Some(row) = self.pools.one(select).await? else {
            return Err(StoreError::NotFound(
                "there is no such enrolment token: make one on the server".into(),
            ));
        };
        let mut f = row.fields();
        let (id, expires_ms) = (f.text()?, f.int()?);
        let why = if expires_ms <= now_ms { "expired" } else { "used up" };
        Err(StoreError::Conflict(format!("enrolment token {id} is {why}: make a new one on the server")))
    }

    /// Ends one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn revoke_token(&self, id: &str) -> Result<()> {
        match self.write(sql("DELETE FROM tokens WHERE id = $1").bind(id)).await? {
            0 => Err(StoreError::missing("enrolment token", id)),
            _ => Ok(()),
        }
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn token(&self, id: &str) -> Result<TokenRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "tokens")).await?;
        read(&row.ok_or_else(|| StoreError::missing("enrolment token", id))?)
    }
}
