// SPDX-License-Identifier: Apache-2.0
//! Sign-ins under way at a provider. They are in the database so that any process can end one, and ending
//! one deletes it, so that none ends twice.

use crate::db::sql::sql;
use crate::error::{Result, StoreError};
use crate::{FlowRow, Store};

impl Store {
    /// One begins.
    ///
    /// # Errors
    /// `Conflict` when the state is taken.
    pub async fn begin_flow(&self, flow: &FlowRow) -> Result<()> {
        let insert =
            sql("INSERT INTO sign_on_flows (state, browser, provider, nonce, verifier, back, created_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)")
            .bind(&flow.state)
            .bind(&flow.browser)
            .bind(&flow.provider)
            .bind(&flow.nonce)
            .bind(&flow.verifier)
            .bind(&flow.back)
            .bind(flow.created_ms);
        self.write(insert).await?;
        Ok(())
    }

    /// One ends: it is given to whoever asks first.
    ///
    /// # Errors
    /// `NotFound` when there is none, or it ended before.
    pub async fn take_flow(&self, state: &[u8]) -> Result<FlowRow> {
        let take = sql("DELETE FROM sign_on_flows WHERE state = $1 \
             RETURNING state, browser, provider, nonce, verifier, back, created_ms")
        .bind(state);
        let rows = self.write_all(take).await?;
        let row = rows.first().ok_or_else(|| {
            StoreError::NotFound("this sign-in is not under way, or ended before: begin again".into())
        })?;
        let mut f = row.fields();
        Ok(FlowRow {
            state: f.bytes()?,
            browser: f.bytes()?,
            provider: f.text()?,
            nonce: f.text()?,
            verifier: f.text()?,
            back: f.text()?,
            created_ms: f.int()?,
        })
    }

    /// Forgets those that nobody ended; how many.
    ///
    /// # Errors
    /// Of the database.
    pub async fn forget_flows(&self, before_ms: i64) -> Result<u64> {
        self.write(sql("DELETE FROM sign_on_flows WHERE created_ms < $1").bind(before_ms)).await
    }
}
