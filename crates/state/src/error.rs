// SPDX-License-Identifier: Apache-2.0
//! What can go wrong with the database.

use lazaret_model::AlarmId;
use std::path::PathBuf;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// SQLite said no (full disk, I/O error, locked for longer than 5 s).
    #[error("the state database could not {what}: {source}")]
    Sqlite {
        /// `store an alarm`.
        what: &'static str,
        /// SQLite's own words.
        #[source]
        source: rusqlite::Error,
    },
    /// The file or its folder could not be used.
    #[error("{}: could not {what}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// `create it`.
        what: &'static str,
        /// The system's own words.
        #[source]
        source: std::io::Error,
    },
    /// A newer Lazaret wrote it; it is left untouched.
    #[error(
        "{}: has schema version {found}, this version of Lazaret knows up to {known}; install the newer version \
         again, or move the file away to start with an empty one", path.display()
    )]
    TooNew {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Not the whole or part of an id.
    #[error("\"{0}\" is not an alarm's id: hexadecimal digits and hyphens are expected, at least 4")]
    BadId(String),
    /// No such alarm.
    #[error("there is no alarm {0}")]
    NoSuchAlarm(String),
    /// A part of an id that several alarms share.
    #[error("\"{given}\" could be {}{}: give more digits", list(matches), if *more { " and others" } else { "" })]
    Ambiguous {
        /// What was given.
        given: String,
        /// Alarms it fits, newest first, at most 8.
        matches: Vec<AlarmId>,
        /// There are more.
        more: bool,
    },
}

fn list(ids: &[AlarmId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Names what was being done when SQLite said no.
pub(crate) trait While<T> {
    fn while_to(self, what: &'static str) -> Result<T, StateError>;
}

impl<T> While<T> for Result<T, rusqlite::Error> {
    fn while_to(self, what: &'static str) -> Result<T, StateError> {
        self.map_err(|source| StateError::Sqlite { what, source })
    }
}
