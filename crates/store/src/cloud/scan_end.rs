// SPDX-License-Identifier: Apache-2.0
//! What a deep scan found, at once: its row, the word for the file, and the verdict.

use super::deep_scans::{LISTED, read_listed};
use super::{leases, standing, verdicts};
use crate::db::sql::Sql;
use crate::error::{Result, StoreError};
use crate::{DeepScanEnd, NewVerdict, Store, VerdictRow};

/// What can be said.
fn check(end: &DeepScanEnd) -> Result<()> {
    match (end.standing.as_str(), end.verdict.is_some()) {
        ("bad", true) | ("clean" | "unknown", false) => Ok(()),
        (standing, verdict) => Err(StoreError::BadRequest(format!(
            "a deep scan ends bad with a verdict, or clean or unknown without one; not {standing:?} {} one",
            if verdict { "with" } else { "without" }
        ))),
    }
}

impl Store {
    /// Ends a scan. Bad: its verdict is put, unless a person said otherwise before. Clean: a verdict that an
    /// earlier deep scan put is withdrawn. The verdict that was written, if any was.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost: then nothing is written; `BadRequest` for an end that makes no sense.
    pub async fn finish_deep_scan(
        &self,
        id: &str,
        worker: &str,
        end: DeepScanEnd,
    ) -> Result<Option<VerdictRow>> {
        check(&end)?;
        let now_ms = end.now_ms;
        let mut tx = self.begin().await?;
        let mut update = Sql::built(
            "UPDATE deep_scans SET state = 'done', finished_ms = $3, standing = $4, votes = $5, report = $6, \
             reason = '' WHERE id = $1 AND worker = $2 AND state = 'scanning' RETURNING "
                .to_owned(),
        )
        .bind(id)
        .bind(worker)
        .bind(now_ms)
        .bind(&end.standing)
        .bind(&end.votes)
        .bind(&end.report);
        update.push(LISTED);
        let row = tx.one(update).await?.ok_or_else(|| leases::lost(id, worker))?;
        let row = read_listed(&mut row.fields())?;
        let file = (row.project.as_str(), row.sha256.as_slice());
        let written = match end.verdict {
            Some(verdict) => {
                let verdict =
                    NewVerdict { project: row.project.clone(), sha256: row.sha256.clone(), ..verdict };
                let (verdict, new) = verdicts::put(&mut tx, &verdict).await?;
                new.then_some(verdict)
            }
            None if end.standing == "clean" => {
                let why = "a later deep scan found nothing";
                let withdrawn = verdicts::withdraw_machine(&mut tx, file, why, now_ms).await?;
                if !verdicts::holds(&mut tx, file.0, file.1).await? {
                    standing::by_machine(&mut tx, file, "clean", now_ms).await?;
                }
                withdrawn
            }
            None => {
                standing::not_pending(&mut tx, file, now_ms).await?;
                None
            }
        };
        self.commit(tx).await?;
        if written.is_some() {
            self.note_verdict(file.0, file.1);
        } else {
            self.note_file(file.0, file.1);
        }
        Ok(written)
    }
}
