// SPDX-License-Identifier: Apache-2.0
//! Which alarms have changed since the journal was told. Written by the database itself in the very
//! transaction that stores the alarm: a crash in between forgets none.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::AlarmId;
use rusqlite::params;
use rusqlite::types::Type;

/// An alarm that the journal does not know in its newest form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Which.
    pub alarm: AlarmId,
    /// Counts up with each change.
    pub version: i64,
    /// More than one more repeat.
    pub urgent: bool,
}

impl Database {
    /// Alarms that changed, at most `limit`.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn alarms_changed(&self, limit: u32) -> Result<Vec<Changed>, StateError> {
        self.lock()
            .prepare_cached(
                "SELECT id, version, urgent FROM alarms_changed ORDER BY urgent DESC, id LIMIT ?1",
            )
            .and_then(|mut s| {
                s.query_map([limit], |r| {
                    let id: String = r.get(0)?;
                    let alarm = id
                        .parse()
                        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))?;
                    Ok(Changed { alarm, version: r.get(1)?, urgent: r.get(2)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
            })
            .while_to("list changed alarms")
    }

    /// The journal knows of these. One that changed again meanwhile stays.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn alarms_noted(&self, noted: &[Changed]) -> Result<(), StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("note alarms")?;
        for changed in noted {
            tx.prepare_cached("DELETE FROM alarms_changed WHERE id = ?1 AND version = ?2")
                .and_then(|mut s| s.execute(params![changed.alarm.to_string(), changed.version]))
                .while_to("note alarms")?;
        }
        tx.commit().while_to("note alarms")
    }
}
