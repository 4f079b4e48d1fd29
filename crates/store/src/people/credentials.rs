// SPDX-License-Identifier: Apache-2.0
//! Sessions and keys.

use super::{grants, grants_text};
use crate::db::sql::{Filter, sql};
use crate::db::value::Row;
use crate::error::{Result, StoreError};
use crate::{CredentialRow, Store};

const COLUMNS: &str =
    "id, user_id, kind, hash, note, created_ms, expires_ms, last_ms, grants, secret, parent";

fn read(row: &Row) -> Result<CredentialRow> {
    let mut f = row.fields();
    Ok(CredentialRow {
        id: f.text()?,
        user: f.text()?,
        kind: f.text()?,
        hash: f.bytes()?,
        note: f.text()?,
        created_ms: f.int()?,
        expires_ms: f.int()?,
        last_ms: f.int()?,
        grants: grants(&f.text()?)?,
        secret: f.bytes()?,
        parent: f.maybe_text()?,
    })
}

impl Store {
    /// A person signed in, or made a key.
    ///
    /// # Errors
    /// `Conflict` when the user does not exist.
    pub async fn create_credential(&self, c: &CredentialRow) -> Result<()> {
        let mut insert = sql("");
        insert.push(&format!("INSERT INTO credentials ({COLUMNS}) VALUES "));
        insert.list::<crate::db::value::Value>([
            (&c.id).into(),
            (&c.user).into(),
            (&c.kind).into(),
            (&c.hash).into(),
            (&c.note).into(),
            c.created_ms.into(),
            c.expires_ms.into(),
            c.last_ms.into(),
            grants_text(&c.grants)?.into(),
            (&c.secret).into(),
            (&c.parent).into(),
        ]);
        self.write(insert).await?;
        Ok(())
    }

    /// The one whose secret has this SHA-256; expired or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn credential(&self, hash: &[u8]) -> Result<CredentialRow> {
        let mut w = Filter::new();
        w.value("hash =", hash);
        let row = self.pools.one(w.select(COLUMNS, "credentials")).await?;
        read(
            &row.ok_or_else(|| {
                StoreError::NotFound("there is no such session or key: sign in again".into())
            })?,
        )
    }

    /// The one of this id; expired or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn credential_of_id(&self, id: &str) -> Result<CredentialRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "credentials")).await?;
        read(&row.ok_or_else(|| StoreError::missing("session or key", id))?)
    }

    /// Those of a user, newest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn credentials(&self, user: &str) -> Result<Vec<CredentialRow>> {
        let mut w = Filter::new();
        w.value("user_id =", user);
        let mut select = w.select(COLUMNS, "credentials");
        select.push(" ORDER BY created_ms DESC, id DESC LIMIT 1000");
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// It was used.
    ///
    /// # Errors
    /// Of the database.
    pub async fn touch_credential(&self, id: &str, now_ms: i64) -> Result<()> {
        let update =
            sql("UPDATE credentials SET last_ms = $2 WHERE id = $1 AND last_ms < $2").bind(id).bind(now_ms);
        self.write(update).await?;
        Ok(())
    }

    /// Ends one.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn revoke_credential(&self, id: &str) -> Result<()> {
        match self.write(sql("DELETE FROM credentials WHERE id = $1").bind(id)).await? {
            0 => Err(StoreError::missing("session or key", id)),
            _ => Ok(()),
        }
    }

    /// Ends all of a user; how many.
    ///
    /// # Errors
    /// Of the database.
    pub async fn revoke_credentials(&self, user: &str) -> Result<u64> {
        self.write(sql("DELETE FROM credentials WHERE user_id = $1").bind(user)).await
    }

    /// Forgets those whose time is over; how many.
    ///
    /// # Errors
    /// Of the database.
    pub async fn expire_credentials(&self, now_ms: i64) -> Result<u64> {
        self.write(sql("DELETE FROM credentials WHERE expires_ms > 0 AND expires_ms <= $1").bind(now_ms))
            .await
    }
}
