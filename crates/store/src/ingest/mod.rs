// SPDX-License-Identifier: Apache-2.0
//! What hosts send: taken once, acknowledged when it is committed.

mod apply;
mod consecutive;
mod events;
pub(crate) mod writer;

use crate::error::Result;
use crate::{Batch, ChangeKind, Ingested, Store};
use std::sync::Arc;

impl Store {
    /// Takes consecutive entries of a host's journal; when this returns they are committed. Entries at or
    /// below what is acknowledged are passed over. Several hosts share one commit.
    ///
    /// # Errors
    /// `Conflict` when entries are missing behind what is acknowledged (the text says from where on),
    /// `NotFound` for an unknown host, `Unavailable` when nothing was taken for sure or nobody knows: send
    /// it again.
    pub async fn ingest(&self, batch: impl Into<Arc<Batch>>) -> Result<Ingested> {
        let batch = batch.into();
        let (project, ingested) = self.writer.take(Arc::clone(&batch)).await?;
        for id in &ingested.alarms {
            self.note_change(&project, ChangeKind::Alarm, id);
        }
        for id in &ingested.isolated {
            self.note_change(&project, ChangeKind::Isolated, id);
        }
        if ingested.taken > 0 && ingested.alarms.is_empty() && ingested.isolated.is_empty() {
            self.note_change(&project, ChangeKind::Host, &batch.host);
        }
        Ok(ingested)
    }
}
