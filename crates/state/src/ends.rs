// SPDX-License-Identifier: Apache-2.0
//! Abnormal ends of the daemon: three in ten minutes lead to safe mode.

use crate::error::While as _;
use crate::{Database, StateError};
use rusqlite::params;

/// One abnormal end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbnormalEnd {
    /// When it was noticed, milliseconds UTC.
    pub at_ms: i64,
    /// What is known of it.
    pub why: String,
}

/// More are never needed: the rule looks at three.
const KEPT: i64 = 100;

impl Database {
    /// Records one; only the newest 100 are kept.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn record_abnormal_end(&self, at_ms: i64, why: &str) -> Result<(), StateError> {
        let connection = self.lock();
        connection
            .execute("INSERT INTO abnormal_ends (at_ms, why) VALUES (?1, ?2)", params![at_ms, why])
            .while_to("record an abnormal end")?;
        connection
            .execute("DELETE FROM abnormal_ends WHERE id <= (SELECT max(id) FROM abnormal_ends) - ?1", [KEPT])
            .map(|_| ())
            .while_to("forget old abnormal ends")
    }

    /// Those at `since_ms` or later, newest first.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn abnormal_ends(&self, since_ms: i64) -> Result<Vec<AbnormalEnd>, StateError> {
        self.lock()
            .prepare_cached(
                "SELECT at_ms, why FROM abnormal_ends WHERE at_ms >= ?1 ORDER BY at_ms DESC, id DESC",
            )
            .and_then(|mut s| {
                s.query_map([since_ms], |r| Ok(AbnormalEnd { at_ms: r.get(0)?, why: r.get(1)? }))?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .while_to("list the abnormal ends")
    }

    /// Forgets all of them: a person has ended safe mode.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn clear_abnormal_ends(&self) -> Result<(), StateError> {
        self.lock().execute("DELETE FROM abnormal_ends", []).map(|_| ()).while_to("forget the abnormal ends")
    }
}
