// SPDX-License-Identifier: Apache-2.0
//! What can go wrong, in words that name the thing, the cause and the way out.

use thiserror::Error;

/// Why the store did not do it.
#[derive(Debug, Error)]
pub enum StoreError {
    /// No such row.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else was first: revision moved on, name taken, gap in a journal, key used before.
    #[error("{0}")]
    Conflict(String),
    /// What was asked cannot be asked: a cursor of another list, a limit out of bounds.
    #[error("{0}")]
    BadRequest(String),
    /// The database is gone, locked or full: nothing was done, or nobody knows; ask again later.
    #[error("{0}")]
    Unavailable(String),
    /// The disk of the database is full: nothing was done; make room, then ask again.
    #[error("{0}")]
    Full(String),
    /// What is stored cannot be read by this program.
    #[error("{0}")]
    Corrupt(String),
    /// Everything else.
    #[error("{0}")]
    Other(String),
}

/// What the store's methods return.
pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    /// Whether the same call may work later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_))
    }

    pub(crate) fn missing(what: &str, id: &str) -> Self {
        Self::NotFound(format!("{what} {id:?} does not exist: list what there is and take an id from there"))
    }

    /// The same kind of error for somebody else who waits for the same thing.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::NotFound(t) => Self::NotFound(t.clone()),
            Self::Conflict(t) => Self::Conflict(t.clone()),
            Self::BadRequest(t) => Self::BadRequest(t.clone()),
            Self::Unavailable(t) => Self::Unavailable(t.clone()),
            Self::Full(t) => Self::Full(t.clone()),
            Self::Corrupt(t) => Self::Corrupt(t.clone()),
            Self::Other(t) => Self::Other(t.clone()),
        }
    }

    /// Words for a row that is there already.
    pub(crate) fn taken(self, text: impl FnOnce() -> String) -> Self {
        match self {
            Self::Conflict(_) => Self::Conflict(text()),
            e => e,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(e: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &e {
            E::Database(d) => {
                if d.is_unique_violation() {
                    return Self::Conflict(format!("a row with the same key exists already ({d})"));
                }
                if d.is_foreign_key_violation() {
                    return Self::Conflict(format!(
                        "it belongs to a row that does not exist, or is used by another ({d}): look at both again"
                    ));
                }
                by_code(d.code().as_deref().unwrap_or_default(), &e)
            }
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_) => {
                gone(&e)
            }
            E::BeginFailed => gone(&e),
            E::ColumnDecode { .. }
            | E::Decode(_)
            | E::ColumnNotFound(_)
            | E::ColumnIndexOutOfBounds { .. } => Self::Corrupt(format!(
                "a stored row cannot be read ({e}): was it written by another version?"
            )),
            E::Configuration(_) => Self::Other(format!(
                "the database address cannot be used ({e}): correct it in the configuration"
            )),
            _ => Self::Other(format!("the database refused a statement ({e}): report this as a defect")),
        }
    }
}

fn gone(e: &sqlx::Error) -> StoreError {
    StoreError::Unavailable(format!("the database does not answer ({e}): see that it runs, then ask again"))
}

fn full(e: &sqlx::Error) -> StoreError {
    StoreError::Full(format!("the disk of the database is full ({e}): make room, then ask again"))
}

/// PostgreSQL: five characters (SQLSTATE). SQLite: a decimal extended result code.
fn by_code(code: &str, e: &sqlx::Error) -> StoreError {
    if code.len() == 5 {
        return match &code[..2] {
            "53" if code == "53100" => full(e),
            "08" | "53" | "57" | "58" => gone(e),
            "40" => StoreError::Unavailable(format!(
                "the database put this behind another write ({e}): ask again"
            )),
            "55" => StoreError::Unavailable(format!("the database is locked ({e}): ask again later")),
            "25" => StoreError::Unavailable(format!(
                "the database takes no writes ({e}): connect to the primary, then ask again"
            )),
            "28" | "3D" => StoreError::Unavailable(format!(
                "the database does not let us in ({e}): correct user, password or name in the address"
            )),
            "XX" => {
                StoreError::Corrupt(format!("the database reports damage ({e}): restore it from a backup"))
            }
            _ => {
                StoreError::Other(format!("the database refused a statement ({e}): report this as a defect"))
            }
        };
    }
    match code.parse::<i64>().unwrap_or(0) & 0xff {
        5 | 6 => StoreError::Unavailable(format!("the database file is locked ({e}): ask again later")),
        8 => StoreError::Unavailable(format!(
            "the database file cannot be written ({e}): correct its owner and mode"
        )),
        10 | 14 => StoreError::Unavailable(format!(
            "the database file cannot be reached ({e}): see that its disk is mounted and healthy"
        )),
        13 => full(e),
        11 | 26 => StoreError::Corrupt(format!(
            "the database file is damaged or none at all ({e}): restore it from a backup"
        )),
        _ => StoreError::Other(format!("the database refused a statement ({e}): report this as a defect")),
    }
}
