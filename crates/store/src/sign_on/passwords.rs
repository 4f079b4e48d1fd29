// SPDX-License-Identifier: Apache-2.0
//! Passwords of before: their hashes, so that none comes back, and when each began.

use crate::Store;
use crate::db::sql::sql;
use crate::error::Result;

impl Store {
    /// A user has a new password; the newest `keep` are remembered.
    ///
    /// # Errors
    /// `Conflict` when the user does not exist.
    pub async fn note_password(&self, user: &str, phc: &str, now_ms: i64, keep: u32) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.run(
            sql("INSERT INTO old_passwords (user_id, at_ms, password) VALUES ($1, $2, $3) \
                 ON CONFLICT (user_id, at_ms) DO UPDATE SET password = excluded.password")
            .bind(user)
            .bind(now_ms)
            .bind(phc),
        )
        .await?;
        tx.run(
            sql("DELETE FROM old_passwords WHERE user_id = $1 AND at_ms NOT IN \
                 (SELECT at_ms FROM old_passwords WHERE user_id = $1 ORDER BY at_ms DESC LIMIT $2)")
            .bind(user)
            .bind(keep.max(1)),
        )
        .await?;
        self.commit(tx).await
    }

    /// When each began, and its hash; newest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn old_passwords(&self, user: &str) -> Result<Vec<(i64, String)>> {
        let select = sql("SELECT at_ms, password FROM old_passwords WHERE user_id = $1 ORDER BY at_ms DESC")
            .bind(user);
        let rows = self.pools.all(select).await?;
        rows.iter()
            .map(|row| {
                let mut f = row.fields();
                Ok((f.int()?, f.text()?))
            })
            .collect()
    }
}
