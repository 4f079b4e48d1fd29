// SPDX-License-Identifier: Apache-2.0
//! Hashes that a server has been asked about and that it has not answered.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::Sha256;
use rusqlite::params;

/// One open question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRow {
    /// About which content.
    pub sha256: Sha256,
    /// Bytes.
    pub size: u64,
    /// `executable`, `script`.
    pub kind: String,
    /// A package of this host owns it, and it is as the package says.
    pub packaged: bool,
    /// Where it was seen.
    pub path: Vec<u8>,
    /// TLSH, where it is known.
    pub tlsh: String,
    /// Asked first, milliseconds UTC.
    pub first_ms: i64,
}

impl Database {
    /// Keeps questions; one that is open already stays as it is.
    ///
    /// # Errors
    /// When SQLite cannot write; none is kept then.
    pub fn put_questions(&self, rows: &[QuestionRow]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("store questions")?;
        for row in rows {
            tx.prepare_cached(
                "INSERT OR IGNORE INTO open_questions (sha256, size, kind, packaged, path, tlsh, first_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    row.sha256.0,
                    row.size.cast_signed(),
                    row.kind,
                    row.packaged,
                    row.path,
                    row.tlsh,
                    row.first_ms
                ])
            })
            .while_to("store a question")?;
        }
        tx.commit().while_to("store questions")
    }

    /// The newest open questions, at most `limit`; older ones than those are forgotten.
    ///
    /// # Errors
    /// When SQLite cannot read or write.
    pub fn open_questions(&self, limit: u32) -> Result<Vec<QuestionRow>, StateError> {
        let connection = self.lock();
        connection
            .execute(
                "DELETE FROM open_questions WHERE sha256 IN \
                 (SELECT sha256 FROM open_questions ORDER BY first_ms DESC LIMIT -1 OFFSET ?1)",
                [limit],
            )
            .while_to("forget old questions")?;
        connection
            .prepare(
                "SELECT sha256, size, kind, packaged, path, tlsh, first_ms FROM open_questions \
                 ORDER BY first_ms DESC",
            )
            .and_then(|mut s| {
                s.query_map([], |r| {
                    let size: i64 = r.get(1)?;
                    Ok(QuestionRow {
                        sha256: Sha256(r.get(0)?),
                        size: size.cast_unsigned(),
                        kind: r.get(2)?,
                        packaged: r.get(3)?,
                        path: r.get(4)?,
                        tlsh: r.get(5)?,
                        first_ms: r.get(6)?,
                    })
                })?
                .collect()
            })
            .while_to("list open questions")
    }
}
