// SPDX-License-Identifier: Apache-2.0
//! The record of every write: numbered without gaps, each row's hash covers the one before it. The end of
//! the chain is kept beside it, so that a cut end is seen too.

use crate::db::conn::Tx;
use crate::db::page::hex;
use crate::db::sql::sql;
use crate::error::Result;
use crate::{AuditRow, NewAudit, Store};
use sha2::{Digest, Sha256};

/// Writers take turns: a number more, a hash on.
const LOCK: i64 = 0x6c61_7a61_7265_7403;
/// Where the end of the chain is kept.
pub(super) const HEAD: &str = "audit_head";

pub(super) const COLUMNS: &str =
    "seq, at_ms, who, address, project, action, target, before_json, after_json, outcome, hash";

/// What comes before the first row.
pub(super) const BEGINNING: [u8; 32] = [0; 32];

/// Hash of a row: each field with its length before it, so that none can move into its neighbour.
pub(super) fn chained(before: &[u8], row: &AuditRow) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(row.seq.to_le_bytes());
    hash.update(row.at_ms.to_le_bytes());
    for text in [
        &row.who,
        &row.address,
        &row.project,
        &row.action,
        &row.target,
        &row.before,
        &row.after,
        &row.outcome,
    ] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.finalize().to_vec()
}

pub(super) fn head(row: &AuditRow) -> String {
    format!("{} {}", row.seq, hex(&row.hash))
}

/// Adds a row, in the transaction of what it records.
pub(crate) async fn append(tx: &mut Tx, new: &NewAudit) -> Result<AuditRow> {
    tx.lock(LOCK).await?;
    let (seq, before) = match tx.one(sql("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")).await? {
        Some(row) => {
            let mut f = row.fields();
            (f.int()?, f.bytes()?)
        }
        None => (0, BEGINNING.to_vec()),
    };
    // As it will be stored.
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    let mut row = AuditRow {
        seq: seq + 1,
        at_ms: new.at_ms,
        who: clean(&new.who),
        address: clean(&new.address),
        project: clean(&new.project),
        action: clean(&new.action),
        target: clean(&new.target),
        before: clean(&new.before),
        after: clean(&new.after),
        outcome: clean(&new.outcome),
        hash: Vec::new(),
    };
    row.hash = chained(&before, &row);
    let mut insert = sql("");
    insert.push(&format!("INSERT INTO audit ({COLUMNS}) VALUES "));
    insert.list::<crate::db::value::Value>([
        row.seq.into(),
        row.at_ms.into(),
        (&row.who).into(),
        (&row.address).into(),
        (&row.project).into(),
        (&row.action).into(),
        (&row.target).into(),
        (&row.before).into(),
        (&row.after).into(),
        (&row.outcome).into(),
        (&row.hash).into(),
    ]);
    tx.run(insert).await?;
    tx.run(
        sql("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(HEAD)
            .bind(head(&row)),
    )
    .await?;
    Ok(row)
}

impl Store {
    /// Records a write.
    ///
    /// # Errors
    /// Of the database.
    pub async fn append_audit(&self, new: &NewAudit) -> Result<AuditRow> {
        let mut tx = self.begin().await?;
        let row = append(&mut tx, new).await?;
        tx.commit().await?;
        Ok(row)
    }
}
