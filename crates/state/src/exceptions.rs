// SPDX-License-Identifier: Apache-2.0
//! Exceptions: content that a restore lets be on this host until a person says otherwise.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::Sha256;
use rusqlite::params;

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// The content.
    pub sha256: Sha256,
    /// Since when, milliseconds UTC.
    pub at_ms: i64,
    /// What it comes from: `restore of <id> by uid 0`.
    pub why: String,
}

impl Database {
    /// Lets a content be; a second time keeps the newer reason.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn add_exception(&self, row: &ExceptionRow) -> Result<(), StateError> {
        self.lock()
            .execute(
                "INSERT OR REPLACE INTO exceptions (sha256, at_ms, why) VALUES (?1, ?2, ?3)",
                params![row.sha256.0, row.at_ms, row.why],
            )
            .map(|_| ())
            .while_to("store an exception")
    }

    /// The content is judged again; `false` when there was no exception.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn remove_exception(&self, sha256: Sha256) -> Result<bool, StateError> {
        self.lock()
            .execute("DELETE FROM exceptions WHERE sha256 = ?1", [sha256.0])
            .map(|n| n > 0)
            .while_to("remove an exception")
    }

    /// Whether there is an exception for the content.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn has_exception(&self, sha256: Sha256) -> Result<bool, StateError> {
        self.lock()
            .prepare_cached("SELECT 1 FROM exceptions WHERE sha256 = ?1")
            .and_then(|mut s| s.exists([sha256.0]))
            .while_to("look an exception up")
    }

    /// Every exception, newest first.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn exceptions(&self) -> Result<Vec<ExceptionRow>, StateError> {
        self.lock()
            .prepare_cached("SELECT sha256, at_ms, why FROM exceptions ORDER BY at_ms DESC, sha256")
            .and_then(|mut s| {
                s.query_map([], |r| {
                    Ok(ExceptionRow { sha256: Sha256(r.get(0)?), at_ms: r.get(1)?, why: r.get(2)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
            })
            .while_to("list the exceptions")
    }
}
