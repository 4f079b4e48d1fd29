// SPDX-License-Identifier: Apache-2.0
//! A write and the rows of the record that tell of it: both are there, or neither is.

use super::audit;
use crate::db::conn::Tx;
use crate::db::sql::Sql;
use crate::db::value::Row;
use crate::error::Result;
use crate::{NewAudit, Store};
use std::sync::{Arc, Mutex, PoisonError};

impl Store {
    /// This store, but the first write that is made through it leaves these rows in the record, in the
    /// transaction of that write: `store.audited(rows).set_switch(&switch)`. A write that fails, or that finds
    /// nothing to write, leaves none. What hosts send (`ingest`) is never a person's write.
    #[must_use]
    pub fn audited(&self, rows: Vec<NewAudit>) -> Self {
        Self { audit: Some(Arc::new(Mutex::new(rows))), ..self.clone() }
    }

    /// Begins a transaction that writes; ended by `commit` below.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        self.pools.begin().await
    }

    /// Ends a transaction, with what is to be recorded of it. Last, so that the record is locked as short as
    /// can be, and by everybody after all else.
    pub(crate) async fn commit(&self, mut tx: Tx) -> Result<()> {
        let Some(audit) = &self.audit else { return tx.commit().await };
        let rows = std::mem::take(&mut *audit.lock().unwrap_or_else(PoisonError::into_inner));
        for row in &rows {
            audit::append(&mut tx, row).await?;
        }
        tx.commit().await
    }

    /// One statement that writes; how many rows it concerned.
    pub(crate) async fn write(&self, statement: Sql) -> Result<u64> {
        if self.audit.is_none() {
            return self.pools.run(statement).await;
        }
        let mut tx = self.begin().await?;
        let n = tx.run(statement).await?;
        if n > 0 {
            self.commit(tx).await?;
        }
        Ok(n)
    }

    /// One statement with `RETURNING`.
    pub(crate) async fn write_all(&self, statement: Sql) -> Result<Vec<Row>> {
        if self.audit.is_none() {
            return self.pools.run_all(statement).await;
        }
        let mut tx = self.begin().await?;
        let rows = tx.all(statement).await?;
        if !rows.is_empty() {
            self.commit(tx).await?;
        }
        Ok(rows)
    }
}
