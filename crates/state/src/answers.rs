// SPDX-License-Identifier: Apache-2.0
//! What the server answered about hashes, with how long that is good for.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::Sha256;
use rusqlite::params;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// About which content.
    pub sha256: Sha256,
    /// `unknown`, `pending`, `clean`, `known_good`, `bad`.
    pub standing: String,
    /// When it came, milliseconds UTC.
    pub at_ms: i64,
    /// It is asked again after that.
    pub until_ms: i64,
    /// The server would like to have the content.
    pub wanted: bool,
}

impl Database {
    /// Keeps answers; a newer one replaces an older one, and closes the question.
    ///
    /// # Errors
    /// When SQLite cannot write; none is kept then.
    pub fn put_answers(&self, rows: &[AnswerRow]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("store answers")?;
        for row in rows {
            tx.prepare_cached(
                "INSERT OR REPLACE INTO hash_answers (sha256, standing, at_ms, until_ms, wanted) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut s| {
                s.execute(params![row.sha256.0, row.standing, row.at_ms, row.until_ms, row.wanted])
            })
            .while_to("store an answer")?;
            tx.prepare_cached("DELETE FROM open_questions WHERE sha256 = ?1")
                .and_then(|mut s| s.execute([row.sha256.0]))
                .while_to("close a question")?;
        }
        tx.commit().while_to("store answers")
    }

    /// The newest answers, at most `limit`; older ones than those are forgotten.
    ///
    /// # Errors
    /// When SQLite cannot read or write.
    pub fn answers(&self, limit: u32) -> Result<Vec<AnswerRow>, StateError> {
        let connection = self.lock();
        connection
            .execute(
                "DELETE FROM hash_answers WHERE sha256 IN \
                 (SELECT sha256 FROM hash_answers ORDER BY at_ms DESC LIMIT -1 OFFSET ?1)",
                [limit],
            )
            .while_to("forget old answers")?;
        connection
            .prepare("SELECT sha256, standing, at_ms, until_ms, wanted FROM hash_answers ORDER BY at_ms DESC")
            .and_then(|mut s| {
                s.query_map([], |r| {
                    Ok(AnswerRow {
                        sha256: Sha256(r.get(0)?),
                        standing: r.get(1)?,
                        at_ms: r.get(2)?,
                        until_ms: r.get(3)?,
                        wanted: r.get(4)?,
                    })
                })?
                .collect()
            })
            .while_to("list answers")
    }

    /// Forgets some answers.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn forget_answers(&self, which: &[Sha256]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("forget answers")?;
        for sha256 in which {
            tx.prepare_cached("DELETE FROM hash_answers WHERE sha256 = ?1")
                .and_then(|mut s| s.execute([sha256.0]))
                .while_to("forget an answer")?;
        }
        tx.commit().while_to("forget answers")
    }

    /// This host belongs to another server: answers, open questions and verdicts of this one are nothing
    /// to go by.
    ///
    /// # Errors
    /// When SQLite cannot write; nothing is forgotten then.
    pub fn forget_cloud(&self) -> Result<(), StateError> {
        self.lock()
            .execute_batch(
                "BEGIN IMMEDIATE; DELETE FROM hash_answers; DELETE FROM open_questions; DELETE FROM cloud_verdicts; \
                 DELETE FROM settings WHERE key IN ('cloud_feed', 'cloud_inventory'); COMMIT;",
            )
            .while_to("forget what a server said")
    }
}
