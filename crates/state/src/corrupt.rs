// SPDX-License-Identifier: Apache-2.0
//! A damaged file is put aside, never deleted, and what can still be read is carried over.

use crate::{StateError, schema};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi, params_from_iter};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What became of a damaged database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Where the damaged file is now.
    pub moved_to: PathBuf,
    /// What was wrong with it.
    pub why: String,
    /// Rows that could be carried over, by table.
    pub carried: Vec<(&'static str, usize)>,
    /// Tables that could not be read to their end: rows of these may be missing.
    pub incomplete: Vec<&'static str>,
}

impl fmt::Display for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the state database was damaged ({}) and is now {}", self.why, self.moved_to.display())?;
        let carried: Vec<_> = self.carried.iter().map(|(t, n)| format!("{n} {t}")).collect();
        write!(f, "; carried over: {}", carried.join(", "))?;
        if !self.incomplete.is_empty() {
            write!(f, "; entries may be missing in: {}", self.incomplete.join(", "))?;
        }
        Ok(())
    }
}

/// Whether SQLite's error speaks of the file's content rather than of the disk or a lock.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(e, _) => {
            matches!(e.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        }
        _ => false,
    }
}

/// An error of our own that [`is_damage`] recognises.
pub(crate) fn damage(message: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(message))
}

/// Whether every table and column is there: a file can be sound and still not be ours.
pub(crate) fn check_shape(connection: &Connection) -> rusqlite::Result<()> {
    for (table, columns) in TABLES {
        if let Err(e) = connection.prepare(&format!("SELECT {columns} FROM {table} LIMIT 0")) {
            return Err(damage(format!("its table {table} is not as it should be: {e}")));
        }
    }
    Ok(())
}

/// Moves the file with its log to `NAME.corrupt-<ms>`.
pub(crate) fn move_aside(path: &Path) -> Result<PathBuf, StateError> {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis());
    let named = |suffix: &str| {
        let mut name = OsString::from(path);
        name.push(suffix);
        PathBuf::from(name)
    };
    let mut n = ms;
    // Never over an older one.
    while named(&format!(".corrupt-{n}")).symlink_metadata().is_ok() {
        n += 1;
    }
    let aside = named(&format!(".corrupt-{n}"));
    // The log first: a log without its database is harmless, a database that got a foreign log is not.
    for suffix in ["-wal", "-shm", ""] {
        let from = named(suffix);
        let to = named(&format!(".corrupt-{n}{suffix}"));
        match std::fs::rename(&from, &to) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(StateError::Io { path: from, what: "move the damaged file aside", source });
            }
        }
    }
    Ok(aside)
}

/// Tables and their columns in the order of importance.
const TABLES: &[(&str, &str)] = &[
    ("settings", "key, value"),
    ("exceptions", "sha256, at_ms, why"),
    (
        "whitelist",
        "id, field, judge, value, sha256, any_content, description, added_ms, added_by, hits, last_hit_ms, class, \
         expires_ms",
    ),
    ("breakers", "rule, opened_ms, why"),
    (
        "alarms",
        "id, at_ms, last_ms, count, class, rating, path, sha256, handled, test, isolated, title, details",
    ),
    ("commands", "id, received_ms, begun, finished_ms, command, result"),
    ("alarms_changed", "id, version, urgent"),
    ("cloud_verdicts", "sha256, number, verdict, withdrawn, act, done"),
    ("open_questions", "sha256, size, kind, packaged, path, tlsh, first_ms"),
    ("hash_answers", "sha256, standing, at_ms, until_ms, wanted"),
    (
        "programs",
        "path, sha256, size, kind, packaged, dev, ino, ctime_s, ctime_ns, first_ms, last_ms, gone, version",
    ),
    ("sent", "day, what, path, sha256, server, first_ms, last_ms, times, bytes"),
    ("samples", "sha256, standing, reason, at_ms, not_before_ms, tries"),
];

/// What a file of that schema version has of a table; `None` where it has no such table.
fn columns_of<'c>(table: &str, columns: &'c str, version: i64) -> Option<&'c str> {
    match table {
        "commands" | "alarms_changed" if version < 3 => None,
        "cloud_verdicts" | "open_questions" | "hash_answers" | "programs" if version < 4 => None,
        "sent" | "samples" if version < 5 => None,
        "whitelist" if version < 3 => columns.split_once(", class").map(|(older, _)| older),
        _ => Some(columns),
    }
}

/// Copies every row that the damaged file still gives into the new one.
pub(crate) fn carry_over(moved_to: PathBuf, why: String, into: &Connection) -> Recovered {
    let mut carried = Vec::new();
    let mut incomplete = Vec::new();
    let old = Connection::open_with_flags(&moved_to, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let version = old.as_ref().map_or(schema::VERSION, |old| schema::version(old).unwrap_or(schema::VERSION));
    for (table, columns) in TABLES {
        let Some(columns) = columns_of(table, columns, version) else { continue };
        let copied =
            old.as_ref().map_or(Copied { rows: 0, whole: false }, |old| copy(old, into, table, columns));
        carried.push((*table, copied.rows));
        if !copied.whole {
            incomplete.push(*table);
        }
    }
    Recovered { moved_to, why, carried, incomplete }
}

struct Copied {
    rows: usize,
    whole: bool,
}

fn copy(old: &Connection, into: &Connection, table: &str, columns: &str) -> Copied {
    let mut done = Copied { rows: 0, whole: true };
    let width = columns.split(',').count();
    let marks = vec!["?"; width].join(", ");
    let insert = format!("INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})");
    let result = (|| -> rusqlite::Result<()> {
        let tx = into.unchecked_transaction()?;
        {
            let mut to = tx.prepare(&insert)?;
            let mut from = old.prepare(&format!("SELECT {columns} FROM {table}"))?;
            let mut rows = from.query([])?;
            loop {
                let row = match rows.next() {
                    Ok(Some(row)) => row,
                    Ok(None) => break,
                    // What was read so far is kept.
                    Err(_) => {
                        done.whole = false;
                        break;
                    }
                };
                let values: rusqlite::Result<Vec<Value>> = (0..width).map(|i| row.get(i)).collect();
                // A row that no longer fits the schema is damage, too.
                match values.and_then(|v| to.execute(params_from_iter(v))) {
                    Ok(_) => done.rows += 1,
                    Err(_) => done.whole = false,
                }
            }
        }
        tx.commit()
    })();
    if result.is_err() {
        done = Copied { rows: 0, whole: false };
    }
    done
}
