// SPDX-License-Identifier: Apache-2.0
//! Open circuit breakers: they stay open over a restart.

use crate::error::While as _;
use crate::{Database, StateError};
use rusqlite::params;

/// One open breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerRow {
    /// Evidence id.
    pub rule: String,
    /// Milliseconds UTC.
    pub opened_ms: i64,
    /// For people.
    pub why: String,
    /// Findings since then that were held back.
    pub hits: u64,
}

impl Database {
    /// Every open breaker, by rule.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn breakers(&self) -> Result<Vec<BreakerRow>, StateError> {
        self.lock()
            .prepare_cached("SELECT rule, opened_ms, why, hits FROM breakers ORDER BY rule")
            .and_then(|mut s| {
                s.query_map([], |r| {
                    Ok(BreakerRow {
                        rule: r.get(0)?,
                        opened_ms: r.get(1)?,
                        why: r.get(2)?,
                        hits: r.get::<_, i64>(3)?.max(0).cast_unsigned(),
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
            })
            .while_to("list the breakers")
    }

    /// Stores an open breaker. Its hits never become fewer: of two threads that store what they have
    /// seen, the one that saw less may come last.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn put_breaker(&self, row: &BreakerRow) -> Result<(), StateError> {
        self.lock()
            .execute(
                "INSERT INTO breakers (rule, opened_ms, why, hits) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (rule) DO UPDATE SET opened_ms = excluded.opened_ms, why = excluded.why, \
                 hits = max(hits, excluded.hits)",
                params![row.rule, row.opened_ms, row.why, i64::try_from(row.hits).unwrap_or(i64::MAX)],
            )
            .map(|_| ())
            .while_to("store a breaker")
    }

    /// Raises the hits of an open breaker to `hits`; nothing happens when it is not open (any more).
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn raise_breaker_hits(&self, rule: &str, hits: u64) -> Result<(), StateError> {
        self.lock()
            .execute(
                "UPDATE breakers SET hits = max(hits, ?2) WHERE rule = ?1",
                params![rule, i64::try_from(hits).unwrap_or(i64::MAX)],
            )
            .map(|_| ())
            .while_to("count for a breaker")
    }

    /// A person re-armed the rule; `false` when its breaker was not open.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn remove_breaker(&self, rule: &str) -> Result<bool, StateError> {
        self.lock()
            .execute("DELETE FROM breakers WHERE rule = ?1", [rule])
            .map(|n| n > 0)
            .while_to("remove a breaker")
    }
}
