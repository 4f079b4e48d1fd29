// SPDX-License-Identifier: Apache-2.0
//! Samples that the server wants: a queue that outlives the daemon, and what became of each, so that what
//! was refused is not offered again at once.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::Sha256;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, params};

/// How it stands with a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleStanding {
    /// The server waits for it.
    Wanted,
    /// The server has it.
    Stored,
    /// The server does not take it.
    Refused,
    /// This host does not give it: gone, changed, too large, no consent.
    Kept,
}

impl SampleStanding {
    const ALL: [Self; 4] = [Self::Wanted, Self::Stored, Self::Refused, Self::Kept];

    const fn word(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Stored => "stored",
            Self::Refused => "refused",
            Self::Kept => "kept",
        }
    }
}

/// Since when something has to have ended to be wanted again, milliseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedAgain {
    /// What the server refused.
    pub refused_ms: i64,
    /// Everything else.
    pub other_ms: i64,
}

/// One content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleRow {
    /// Its identity.
    pub sha256: Sha256,
    /// How it stands.
    pub standing: SampleStanding,
    /// Why, where it is not on its way.
    pub reason: String,
    /// Milliseconds UTC, when it came to this standing.
    pub at_ms: i64,
    /// Not tried before then, milliseconds UTC.
    pub not_before_ms: i64,
    /// How often it was tried and did not come to an end.
    pub tries: u32,
}

const COLUMNS: &str = "sha256, standing, reason, at_ms, not_before_ms, tries";

impl Database {
    /// The server wants these. What came to an end since then stays as it is; a full queue (`room`) takes no
    /// more: the server asks again. Says how many are new.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn want_samples(
        &self,
        wanted: &[Sha256],
        now_ms: i64,
        again: WantedAgain,
        room: u32,
    ) -> Result<usize, StateError> {
        let what = "queue a sample";
        let mut connection = self.lock();
        let tx = connection.transaction().while_to(what)?;
        let waiting: i64 = tx
            .query_row("SELECT count(*) FROM samples WHERE standing = 'wanted'", [], |r| r.get(0))
            .while_to(what)?;
        let mut left = i64::from(room).saturating_sub(waiting);
        let mut new = 0;
        for sha256 in wanted {
            if left <= 0 {
                break;
            }
            let changed = tx
                .prepare_cached(
                    "INSERT INTO samples (sha256, standing, reason, at_ms, not_before_ms, tries) \
                     VALUES (?1, 'wanted', '', ?2, 0, 0) ON CONFLICT (sha256) DO UPDATE SET \
                     standing = 'wanted', reason = '', at_ms = ?2, not_before_ms = 0, tries = 0 \
                     WHERE standing <> 'wanted' AND at_ms < iif(standing = 'refused', ?3, ?4)",
                )
                .and_then(|mut s| {
                    s.execute(params![sha256.0.as_slice(), now_ms, again.refused_ms, again.other_ms])
                })
                .while_to(what)?;
            new += changed;
            left -= i64::try_from(changed).unwrap_or(i64::MAX);
        }
        tx.commit().while_to(what)?;
        Ok(new)
    }

    /// What is to be sent next: the one that waits longest.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn next_sample(&self, now_ms: i64) -> Result<Option<SampleRow>, StateError> {
        self.lock()
            .query_row(
                &format!(
                    "SELECT {COLUMNS} FROM samples WHERE standing = 'wanted' AND not_before_ms <= ?1 \
                     ORDER BY tries, at_ms, sha256 LIMIT 1"
                ),
                [now_ms],
                row,
            )
            .optional()
            .while_to("look for the next sample")
    }

    /// One of them.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn sample(&self, sha256: &Sha256) -> Result<Option<SampleRow>, StateError> {
        self.lock()
            .query_row(
                &format!("SELECT {COLUMNS} FROM samples WHERE sha256 = ?1"),
                [sha256.0.as_slice()],
                row,
            )
            .optional()
            .while_to("look for a sample")
    }

    /// How many wait.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn samples_waiting(&self) -> Result<u64, StateError> {
        self.lock()
            .query_row("SELECT count(*) FROM samples WHERE standing = 'wanted'", [], |r| r.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .while_to("count samples")
    }

    /// It came to an end.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn sample_ended(
        &self,
        sha256: &Sha256,
        standing: SampleStanding,
        reason: &str,
        now_ms: i64,
    ) -> Result<(), StateError> {
        self.lock()
            .execute(
                "UPDATE samples SET standing = ?2, reason = ?3, at_ms = ?4 WHERE sha256 = ?1",
                params![sha256.0.as_slice(), standing.word(), reason, now_ms],
            )
            .map(|_| ())
            .while_to("note what became of a sample")
    }

    /// It is tried again, not before then.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn sample_later(&self, sha256: &Sha256, reason: &str, not_before_ms: i64) -> Result<(), StateError> {
        self.lock()
            .execute(
                "UPDATE samples SET tries = min(tries + 1, 1000), reason = ?2, not_before_ms = ?3 \
                 WHERE sha256 = ?1 AND standing = 'wanted'",
                params![sha256.0.as_slice(), reason, not_before_ms],
            )
            .map(|_| ())
            .while_to("put a sample off")
    }

    /// Forgets what came to an end before then, and what waits in vain since before `stale_ms`.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn forget_samples(&self, before_ms: i64, stale_ms: i64) -> Result<usize, StateError> {
        self.lock()
            .execute(
                "DELETE FROM samples WHERE (standing <> 'wanted' AND at_ms < ?1) \
                 OR (standing = 'wanted' AND at_ms < ?2)",
                params![before_ms, stale_ms],
            )
            .while_to("forget samples")
    }

    /// Another server, another queue.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn forget_all_samples(&self) -> Result<(), StateError> {
        self.lock().execute("DELETE FROM samples", []).map(|_| ()).while_to("forget samples")
    }
}

fn row(r: &Row<'_>) -> rusqlite::Result<SampleRow> {
    let damaged = |at, kind| rusqlite::Error::InvalidColumnType(at, "samples".to_owned(), kind);
    let digest: Vec<u8> = r.get(0)?;
    let word: String = r.get(1)?;
    let standing = SampleStanding::ALL.into_iter().find(|s| s.word() == word);
    Ok(SampleRow {
        sha256: Sha256::from_slice(&digest).ok_or_else(|| damaged(0, Type::Blob))?,
        standing: standing.ok_or_else(|| damaged(1, Type::Text))?,
        reason: r.get(2)?,
        at_ms: r.get(3)?,
        not_before_ms: r.get(4)?,
        tries: u32::try_from(r.get::<_, i64>(5)?).unwrap_or(u32::MAX),
    })
}
