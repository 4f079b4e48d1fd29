// SPDX-License-Identifier: Apache-2.0
//! Opening the database.

use crate::corrupt::{self, Recovered};
use crate::error::While as _;
use crate::{StateError, schema};
use rusqlite::{Connection, OpenFlags};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The agent's own database. Shared between threads by reference; one statement at a time.
#[derive(Debug)]
pub struct Database {
    connection: Mutex<Connection>,
}

/// A database that is open, and what happened on the way.
#[derive(Debug)]
pub struct Opened {
    /// Ready for use.
    pub database: Database,
    /// The file was damaged: what was put aside and what could be carried over. The caller tells.
    pub recovered: Option<Recovered>,
}

impl Database {
    /// Opens or creates the file (mode 0600; its folder must exist) and brings its schema up to date.
    ///
    /// A damaged file is moved to `NAME.corrupt-<ms>` beside it, never deleted, and a new one takes its
    /// place with whatever could still be read out of the old one.
    ///
    /// # Errors
    /// When the file cannot be created or written, or a newer version wrote it.
    pub fn open(path: &Path) -> Result<Opened, StateError> {
        match Self::open_once(path) {
            Ok(connection) => Ok(Opened { database: Self::new(connection), recovered: None }),
            Err(StateError::Sqlite { source, .. }) if corrupt::is_damage(&source) => {
                let aside = corrupt::move_aside(path)?;
                let connection = Self::open_once(path)?;
                let recovered = corrupt::carry_over(aside, source.to_string(), &connection);
                Ok(Opened { database: Self::new(connection), recovered: Some(recovered) })
            }
            Err(e) => Err(e),
        }
    }

    fn new(connection: Connection) -> Self {
        Self { connection: Mutex::new(connection) }
    }

    fn open_once(path: &Path) -> Result<Connection, StateError> {
        // SQLite would create it with the umask's mode; alarms tell where an intruder was.
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|source| StateError::Io { path: path.to_owned(), what: "open or create it", source })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).while_to("open its file")?;
        connection.busy_timeout(Duration::from_secs(5)).while_to("set its time-out")?;
        let found = schema::version(&connection).while_to("read its version")?;
        if found > schema::VERSION {
            return Err(StateError::TooNew { path: path.to_owned(), found, known: schema::VERSION });
        }
        connection
            .query_row("PRAGMA journal_mode = WAL", [], |r| r.get::<_, String>(0))
            .while_to("switch to write-ahead logging")?;
        connection
            .execute_batch(
                "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -2048;",
            )
            .while_to("set its options")?;
        let check: String =
            connection.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).while_to("check its file")?;
        if check != "ok" {
            return Err(StateError::Sqlite { what: "check its file", source: corrupt::damage(check) });
        }
        schema::migrate(&mut connection).while_to("bring its schema up to date")?;
        corrupt::check_shape(&connection).while_to("check its schema")?;
        Ok(connection)
    }

    /// A thread that panicked while it held the connection left no half statement behind: SQLite
    /// rolls back what was not committed, so the lock's poison says nothing here.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
