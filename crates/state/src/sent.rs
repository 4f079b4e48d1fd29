// SPDX-License-Identifier: Apache-2.0
//! What left this host for a server: hashes of files and samples, when, and to whom. Repeats of a day are
//! one row; what is old goes, and hashes go before samples.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::Sha256;
use rusqlite::types::Type;
use rusqlite::{Row, Transaction, params};

/// Milliseconds of a day: repeats within one are folded.
const DAY_MS: i64 = 86_400_000;

/// What it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SentWhat {
    /// SHA-256, size, kind and path.
    Hash,
    /// The content.
    Sample,
}

impl SentWhat {
    /// The word in the database and on the control socket.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Sample => "sample",
        }
    }

    /// By its word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Hash, Self::Sample].into_iter().find(|w| w.word() == word)
    }
}

/// Something that leaves now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// What it is.
    pub what: SentWhat,
    /// Raw bytes; empty where it is not told.
    pub path: Vec<u8>,
    /// Of the file.
    pub sha256: Sha256,
    /// Of its content, as much as leaves now; 0 for hashes.
    pub bytes: u64,
}

/// What left on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRow {
    /// What it was.
    pub what: SentWhat,
    /// Raw bytes; empty where it was not told.
    pub path: Vec<u8>,
    /// Of the file.
    pub sha256: Sha256,
    /// Address of the server.
    pub server: String,
    /// Milliseconds UTC.
    pub first_ms: i64,
    /// Milliseconds UTC.
    pub last_ms: i64,
    /// How often; for a sample, in how many parts.
    pub times: u64,
    /// Of its content.
    pub bytes: u64,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentFilter {
    /// Only these.
    pub what: Option<SentWhat>,
    /// Only of this content.
    pub sha256: Option<Sha256>,
    /// Not before then.
    pub since_ms: Option<i64>,
    /// At most so many, the newest.
    pub limit: Option<u32>,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SentTotals {
    /// Files whose hash was told: contents at paths.
    pub hashes: u64,
    /// Contents that were sent, wholly or in part.
    pub samples: u64,
    /// Bytes of these.
    pub bytes: u64,
}

/// How long it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRetention {
    /// Milliseconds.
    pub keep_ms: i64,
    /// Rows.
    pub at_most: u32,
}

impl Default for SentRetention {
    /// 30 days, 100,000 rows.
    fn default() -> Self {
        Self { keep_ms: 30 * DAY_MS, at_most: 100_000 }
    }
}

const COLUMNS: &str = "what, path, sha256, server, first_ms, last_ms, times, bytes";

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Database {
    /// Writes down that these leave for a server now: before they do, so that the list never lacks what a
    /// crash cut off. Never more rows of hashes stay than the retention lets.
    ///
    /// # Errors
    /// When SQLite cannot write; nothing is noted then, and nothing should leave.
    pub fn note_sent(
        &self,
        server: &str,
        sending: &[Sending],
        now_ms: i64,
        retention: SentRetention,
    ) -> Result<(), StateError> {
        if sending.is_empty() {
            return Ok(());
        }
        let what = "note what is sent";
        let mut connection = self.lock();
        let tx = connection.transaction().while_to(what)?;
        {
            let mut insert = tx
                .prepare_cached(
                    "INSERT INTO sent (day, what, path, sha256, server, first_ms, last_ms, times, bytes) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1, ?7) \
                     ON CONFLICT (day, what, path, sha256, server) DO UPDATE SET \
                     last_ms = max(last_ms, excluded.last_ms), times = times + 1, bytes = bytes + excluded.bytes",
                )
                .while_to(what)?;
            for s in sending {
                let day = now_ms.div_euclid(DAY_MS);
                insert
                    .execute(params![
                        day,
                        s.what.word(),
                        s.path,
                        s.sha256.0.as_slice(),
                        server,
                        now_ms,
                        signed(s.bytes).min(1 << 50)
                    ])
                    .while_to(what)?;
            }
        }
        // Samples are few, and come in many parts: upkeep sees to these.
        if sending.iter().any(|s| s.what == SentWhat::Hash) {
            shorten(&tx, retention.at_most).while_to(what)?;
        }
        tx.commit().while_to(what)
    }

    /// The newest first.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn sent(&self, filter: &SentFilter) -> Result<Vec<SentRow>, StateError> {
        self.lock()
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM sent WHERE (?1 IS NULL OR what = ?1) AND (?2 IS NULL OR sha256 = ?2) \
                 AND last_ms >= ?3 ORDER BY last_ms DESC, what DESC, path LIMIT ?4"
            ))
            .and_then(|mut s| {
                let arguments = params![
                    filter.what.map(SentWhat::word),
                    filter.sha256.map(|h| h.0.to_vec()),
                    filter.since_ms.unwrap_or(i64::MIN),
                    filter.limit.map_or(-1, i64::from),
                ];
                s.query_map(arguments, row)?.collect::<rusqlite::Result<Vec<_>>>()
            })
            .while_to("list what was sent")
    }

    /// Of everything that is remembered.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn sent_totals(&self) -> Result<SentTotals, StateError> {
        let count = |n: i64| n.cast_unsigned();
        self.lock()
            .query_row(
                "SELECT (SELECT count(*) FROM (SELECT DISTINCT path, sha256 FROM sent WHERE what = 'hash')), \
                 (SELECT count(DISTINCT sha256) FROM sent WHERE what = 'sample'), \
                 (SELECT coalesce(sum(bytes), 0) FROM sent WHERE what = 'sample')",
                [],
                |r| {
                    Ok(SentTotals {
                        hashes: count(r.get(0)?),
                        samples: count(r.get(1)?),
                        bytes: count(r.get(2)?),
                    })
                },
            )
            .while_to("count what was sent")
    }

    /// Forgets what is older than the retention.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn prune_sent(&self, now_ms: i64, retention: SentRetention) -> Result<usize, StateError> {
        let mut connection = self.lock();
        let what = "forget what was sent long ago";
        let tx = connection.transaction().while_to(what)?;
        let old = tx
            .execute("DELETE FROM sent WHERE last_ms < ?1", [now_ms.saturating_sub(retention.keep_ms)])
            .while_to(what)?;
        let over = shorten(&tx, retention.at_most).while_to(what)?;
        tx.commit().while_to(what)?;
        Ok(old + over)
    }
}

/// The oldest hashes go first, samples only when there is nothing else.
fn shorten(tx: &Transaction<'_>, at_most: u32) -> rusqlite::Result<usize> {
    let all: i64 = tx.query_row("SELECT count(*) FROM sent", [], |r| r.get(0))?;
    let over = all.saturating_sub(i64::from(at_most));
    if over <= 0 {
        return Ok(0);
    }
    tx.execute(
        "DELETE FROM sent WHERE (day, what, path, sha256, server) IN (SELECT day, what, path, sha256, server \
         FROM sent ORDER BY what = 'sample', last_ms LIMIT ?1)",
        [over],
    )
}

fn row(r: &Row<'_>) -> rusqlite::Result<SentRow> {
    let word: String = r.get(0)?;
    let damaged = |at, kind| rusqlite::Error::InvalidColumnType(at, "sent".to_owned(), kind);
    let digest: Vec<u8> = r.get(2)?;
    let unsigned = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(SentRow {
        what: SentWhat::of_word(&word).ok_or_else(|| damaged(0, Type::Text))?,
        path: r.get(1)?,
        sha256: Sha256::from_slice(&digest).ok_or_else(|| damaged(2, Type::Blob))?,
        server: r.get(3)?,
        first_ms: r.get(4)?,
        last_ms: r.get(5)?,
        times: unsigned(r.get(6)?),
        bytes: unsigned(r.get(7)?),
    })
}
