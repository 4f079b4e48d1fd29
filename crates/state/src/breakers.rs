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

    /// Stores an open breaker.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn put_breaker(&self, row: &BreakerRow) -> Result<(), StateError> {
        self.lock()
            .execute(
                "INSERT OR REPLACE INTO breakers (rule, opened_ms, why, hits) VALUES (?1, ?2, ?3, ?4)",
                params![row.rule, row.opened_ms, row.why, i64::try_from(row.hits).unwrap_or(i64::MAX)],
            )
            .map(|_| ())
            .while_to("store a breaker")
    }

    /// Counts a finding that was held back; nothing happens when the breaker is not open.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn count_breaker_hit(&self, rule: &str) -> Result<(), StateError> {
        self.lock()
            .execute("UPDATE breakers SET hits = hits + 1 WHERE rule = ?1", [rule])
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
