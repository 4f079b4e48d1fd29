// SPDX-License-Identifier: Apache-2.0
//! The server's commands and what came of them: each id is done once, however often it is sent.

use crate::error::While as _;
use crate::{Database, StateError};
use rusqlite::{OptionalExtension as _, Row, params};

/// A command that this host was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRow {
    /// Identity, given by the server.
    pub id: String,
    /// Milliseconds UTC.
    pub received_ms: i64,
    /// Something may have been done for it.
    pub begun: bool,
    /// Encoded command; the database does not know the wire.
    pub command: Vec<u8>,
    /// Encoded result, once there is one.
    pub result: Option<Vec<u8>>,
}

const COLUMNS: &str = "id, received_ms, begun, command, result";

impl Database {
    /// Takes a command in; `false` when it is known already.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn take_command(&self, id: &str, received_ms: i64, command: &[u8]) -> Result<bool, StateError> {
        self.lock()
            .execute(
                "INSERT OR IGNORE INTO commands (id, received_ms, begun, command) VALUES (?1, ?2, 0, ?3)",
                params![id, received_ms, command],
            )
            .map(|n| n > 0)
            .while_to("store a command")
    }

    /// One command.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn command(&self, id: &str) -> Result<Option<CommandRow>, StateError> {
        self.lock()
            .query_row(&format!("SELECT {COLUMNS} FROM commands WHERE id = ?1"), [id], row)
            .optional()
            .while_to("read a command")
    }

    /// Those without a result, in the order in which they came.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn open_commands(&self) -> Result<Vec<CommandRow>, StateError> {
        self.lock()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM commands WHERE result IS NULL ORDER BY received_ms, rowid"
            ))
            .and_then(|mut s| s.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>())
            .while_to("list commands")
    }

    /// Marks it as begun: from now on it is not done again after a crash.
    ///
    /// # Errors
    /// When SQLite cannot write; it must not be begun then.
    pub fn begin_command(&self, id: &str) -> Result<(), StateError> {
        self.lock()
            .execute("UPDATE commands SET begun = 1 WHERE id = ?1", [id])
            .map(|_| ())
            .while_to("begin a command")
    }

    /// Stores its result, the first one only.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn finish_command(&self, id: &str, now_ms: i64, result: &[u8]) -> Result<bool, StateError> {
        self.lock()
            .execute(
                "UPDATE commands SET result = ?3, finished_ms = ?2 WHERE id = ?1 AND result IS NULL",
                params![id, now_ms, result],
            )
            .map(|n| n > 0)
            .while_to("store a command's result")
    }

    /// Forgets commands that were finished before then.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn forget_commands(&self, before_ms: i64) -> Result<usize, StateError> {
        self.lock()
            .execute("DELETE FROM commands WHERE result IS NOT NULL AND finished_ms < ?1", [before_ms])
            .while_to("forget commands")
    }
}

fn row(r: &Row<'_>) -> rusqlite::Result<CommandRow> {
    Ok(CommandRow {
        id: r.get(0)?,
        received_ms: r.get(1)?,
        begun: r.get(2)?,
        command: r.get(3)?,
        result: r.get(4)?,
    })
}
