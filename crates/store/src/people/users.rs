// SPDX-License-Identifier: Apache-2.0
//! Users.

use super::{grants, grants_text};
use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{Store, UserRow};

const COLUMNS: &str =
    "id, name, password, must_change, disabled, failures, locked_until_ms, created_ms, last_ms, grants";

fn read(row: &Row) -> Result<UserRow> {
    let mut f = row.fields();
    Ok(UserRow {
        id: f.text()?,
        name: f.text()?,
        password: f.text()?,
        must_change: f.flag()?,
        disabled: f.flag()?,
        failures: f.int()?,
        locked_until_ms: f.int()?,
        created_ms: f.int()?,
        last_ms: f.int()?,
        grants: grants(&f.text()?)?,
    })
}

impl Store {
    /// Makes a user.
    ///
    /// # Errors
    /// `Conflict` when the name is taken.
    pub async fn create_user(&self, u: &UserRow) -> Result<()> {
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO users ({COLUMNS}) VALUES "));
        insert.list::<crate::db::value::Value>([
            (&u.id).into(),
            (&u.name).into(),
            (&u.password).into(),
            u.must_change.into(),
            u.disabled.into(),
            u.failures.into(),
            u.locked_until_ms.into(),
            u.created_ms.into(),
            u.last_ms.into(),
            grants_text(&u.grants)?.into(),
        ]);
        self.write(insert)
            .await
            .map_err(|e| e.taken(|| format!("a user {:?} exists already: take another name", u.name)))?;
        Ok(())
    }

    /// One user.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn user(&self, id: &str) -> Result<UserRow> {
        self.user_where("id =", id).await
    }

    /// One user, by name.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn user_by_name(&self, name: &str) -> Result<UserRow> {
        self.user_where("name =", name).await
    }

    async fn user_where(&self, left: &str, value: &str) -> Result<UserRow> {
        let mut w = Filter::new();
        w.value(left, value);
        let row = self.pools.one(w.select(COLUMNS, "users")).await?;
        read(&row.ok_or_else(|| StoreError::missing("user", value))?)
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// Of the database.
    pub async fn users(&self) -> Result<Vec<UserRow>> {
        let mut select = Filter::new().select(COLUMNS, "users");
        select.push(" ORDER BY name");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Changes password, flags and grants.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn update_user(&self, u: &UserRow) -> Result<()> {
        let update = sql("UPDATE users SET password = $2, must_change = $3, disabled = $4, failures = $5, \
             locked_until_ms = $6, last_ms = $7, grants = $8 WHERE id = $1")
        .bind(&u.id)
        .bind(&u.password)
        .bind(u.must_change)
        .bind(u.disabled)
        .bind(u.failures)
        .bind(u.locked_until_ms)
        .bind(u.last_ms)
        .bind(grants_text(&u.grants)?);
        match self.write(update).await? {
            0 => Err(StoreError::missing("user", &u.id)),
            _ => Ok(()),
        }
    }

    /// Deletes a user with all that it holds.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn delete_user(&self, id: &str) -> Result<()> {
        match self.write(sql("DELETE FROM users WHERE id = $1").bind(id)).await? {
            0 => Err(StoreError::missing("user", id)),
            _ => Ok(()),
        }
    }

    /// A sign-in was tried. A right one clears what was counted; a wrong one counts, and locks until the
    /// time given (0: does not). Many at once are all counted.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn note_sign_in(
        &self,
        user: &str,
        ok: bool,
        locked_until_ms: i64,
        now_ms: i64,
    ) -> Result<UserRow> {
        let mut update = sql("UPDATE users SET failures = CASE WHEN $2 THEN 0 ELSE failures + 1 END, \
             last_ms = CASE WHEN $2 THEN $4 ELSE last_ms END, \
             locked_until_ms = CASE WHEN $2 THEN 0 WHEN $3 > locked_until_ms THEN $3 ELSE locked_until_ms END \
             WHERE id = $1 RETURNING ")
        .bind(user)
        .bind(ok)
        .bind(locked_until_ms)
        .bind(now_ms);
        update.push(COLUMNS);
        let rows = self.write_all(update).await?;
        read(rows.first().ok_or_else(|| StoreError::missing("user", user))?)
    }
}
