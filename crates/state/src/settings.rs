// SPDX-License-Identifier: Apache-2.0
//! Switches that people set while the daemon runs: they outlive it.

use crate::error::While as _;
use crate::{Database, StateError};
use rusqlite::{OptionalExtension as _, params};

impl Database {
    /// The text of a key, `None` when nobody has set it.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn setting(&self, key: &str) -> Result<Option<String>, StateError> {
        self.lock()
            .query_row("SELECT value FROM settings WHERE key = ?1", [key], |r| r.get(0))
            .optional()
            .while_to("read a setting")
    }

    /// Sets a key.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<(), StateError> {
        self.lock()
            .execute("INSERT OR REPLACE INTO settings (key, value) VALUES (?1, ?2)", params![key, value])
            .map(|_| ())
            .while_to("store a setting")
    }

    /// Forgets a key; `false` when nobody had set it.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn remove_setting(&self, key: &str) -> Result<bool, StateError> {
        self.lock()
            .execute("DELETE FROM settings WHERE key = ?1", [key])
            .map(|n| n > 0)
            .while_to("remove a setting")
    }
}
