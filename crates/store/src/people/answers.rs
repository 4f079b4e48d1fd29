// SPDX-License-Identifier: Apache-2.0
//! Answers to requests with an idempotency key: the second request gets the first one's.

use crate::db::sql::sql;
use crate::error::{Result, StoreError};
use crate::{AnswerRow, Store};

impl Store {
    /// Claims a key. `None`: nobody had it, go on and finish it. `Some`: the first request's; status 0 while
    /// that still runs.
    ///
    /// # Errors
    /// `Conflict` when the key was used for another request.
    pub async fn begin_answer(&self, a: &AnswerRow) -> Result<Option<AnswerRow>> {
        let insert = sql("INSERT INTO answers (user_id, idempotency_key, request, status, body, at_ms) \
             VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT DO NOTHING")
        .bind(&a.user)
        .bind(&a.key)
        .bind(&a.request)
        .bind(Vec::<u8>::new())
        .bind(a.at_ms);
        if self.write(insert).await? > 0 {
            return Ok(None);
        }
        let select = sql(
            "SELECT request, status, body, at_ms FROM answers WHERE user_id = $1 AND idempotency_key = $2",
        )
        .bind(&a.user)
        .bind(&a.key);
        let Some(row) = self.pools.one(select).await? else {
            return Err(StoreError::Unavailable(format!(
                "the answer to idempotency key {:?} was just forgotten: ask again",
                a.key
            )));
        };
        let mut f = row.fields();
        let (request, status, body, at_ms) = (f.bytes()?, f.int()?, f.bytes()?, f.int()?);
        if request != a.request {
            return Err(StoreError::Conflict(format!(
                "idempotency key {:?} was used for another request: take a new one",
                a.key
            )));
        }
        Ok(Some(AnswerRow { user: a.user.clone(), key: a.key.clone(), request, status, body, at_ms }))
    }

    /// What was answered. Status 0 gives the key back: the request failed and may be tried again.
    ///
    /// # Errors
    /// Of the database.
    pub async fn finish_answer(&self, user: &str, key: &str, status: i64, body: &[u8]) -> Result<()> {
        let statement = if status == 0 {
            sql("DELETE FROM answers WHERE user_id = $1 AND idempotency_key = $2").bind(user).bind(key)
        } else {
            sql("UPDATE answers SET status = $3, body = $4 WHERE user_id = $1 AND idempotency_key = $2")
                .bind(user)
                .bind(key)
                .bind(status)
                .bind(body)
        };
        self.write(statement).await?;
        Ok(())
    }

    /// Forgets older ones; how many.
    ///
    /// # Errors
    /// Of the database.
    pub async fn forget_answers(&self, before_ms: i64) -> Result<u64> {
        self.write(sql("DELETE FROM answers WHERE at_ms < $1").bind(before_ms)).await
    }
}
