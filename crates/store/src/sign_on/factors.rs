// SPDX-License-Identifier: Apache-2.0
//! Second factors and recovery codes. A code is taken by one statement: of two requests that bring the
//! same one, one gets it.

use crate::db::conn::Tx;
use crate::db::sql::sql;
use crate::error::{Result, StoreError};
use crate::{SecondFactorRow, Store};

async fn put_codes(tx: &mut Tx, user: &str, hashes: &[Vec<u8>]) -> Result<()> {
    tx.run(sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user)).await?;
    for hash in hashes {
        tx.run(sql("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)").bind(user).bind(hash))
            .await?;
    }
    Ok(())
}

impl Store {
    /// Of a user, confirmed or not.
    ///
    /// # Errors
    /// Of the database.
    pub async fn second_factor(&self, user: &str) -> Result<Option<SecondFactorRow>> {
        let select = sql(
            "SELECT user_id, secret, confirmed, last_step, created_ms FROM second_factors WHERE user_id = $1",
        )
        .bind(user);
        let row = self.pools.one(select).await?;
        row.map(|row| {
            let mut f = row.fields();
            Ok(SecondFactorRow {
                user: f.text()?,
                secret: f.bytes()?,
                confirmed: f.flag()?,
                last_step: f.int()?,
                created_ms: f.int()?,
            })
        })
        .transpose()
    }

    /// Begins with a new secret; an earlier one that was never confirmed is forgotten.
    ///
    /// # Errors
    /// `Conflict` when a confirmed one is there.
    pub async fn begin_second_factor(&self, user: &str, secret: &[u8], now_ms: i64) -> Result<()> {
        let put = sql("INSERT INTO second_factors (user_id, secret, confirmed, last_step, created_ms) \
             VALUES ($1, $2, FALSE, 0, $3) ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, \
             created_ms = excluded.created_ms WHERE NOT second_factors.confirmed")
        .bind(user)
        .bind(secret)
        .bind(now_ms);
        match self.write(put).await? {
            0 => Err(StoreError::Conflict(
                "there is a second factor already: remove it first, or let an administrator reset it".into(),
            )),
            _ => Ok(()),
        }
    }

    /// The first code was right; `codes` are digests of those for the day when the device is lost.
    /// False when there is nothing to confirm.
    ///
    /// # Errors
    /// Of the database.
    pub async fn confirm_second_factor(&self, user: &str, step: i64, codes: &[Vec<u8>]) -> Result<bool> {
        let mut tx = self.begin().await?;
        let update = sql(
            "UPDATE second_factors SET confirmed = TRUE, last_step = $2 WHERE user_id = $1 AND NOT confirmed",
        )
        .bind(user)
        .bind(step);
        if tx.run(update).await? == 0 {
            return Ok(false);
        }
        put_codes(&mut tx, user, codes).await?;
        self.commit(tx).await?;
        Ok(true)
    }

    /// A code of this step was given: whether it is the first time.
    ///
    /// # Errors
    /// Of the database.
    pub async fn take_step(&self, user: &str, step: i64) -> Result<bool> {
        let take = sql(
            "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND confirmed AND last_step < $2",
        )
        .bind(user)
        .bind(step);
        Ok(self.write(take).await? > 0)
    }

    /// A recovery code was given: whether it is one, and was not used before.
    ///
    /// # Errors
    /// Of the database.
    pub async fn take_recovery_code(&self, user: &str, hash: &[u8]) -> Result<bool> {
        let take = sql("DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2").bind(user).bind(hash);
        Ok(self.write(take).await? > 0)
    }

    /// How many are left.
    ///
    /// # Errors
    /// Of the database.
    pub async fn recovery_codes_left(&self, user: &str) -> Result<u64> {
        let select = sql("SELECT count(*) FROM recovery_codes WHERE user_id = $1").bind(user);
        self.pools.one(select).await?.map_or(Ok(0), |row| row.fields().count())
    }

    /// New ones in the place of the old.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_recovery_codes(&self, user: &str, codes: &[Vec<u8>]) -> Result<()> {
        let mut tx = self.begin().await?;
        put_codes(&mut tx, user, codes).await?;
        self.commit(tx).await
    }

    /// Forgets factor and codes; false when there was none.
    ///
    /// # Errors
    /// Of the database.
    pub async fn remove_second_factor(&self, user: &str) -> Result<bool> {
        let mut tx = self.begin().await?;
        let gone = tx.run(sql("DELETE FROM second_factors WHERE user_id = $1").bind(user)).await? > 0;
        tx.run(sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user)).await?;
        self.commit(tx).await?;
        Ok(gone)
    }
}
