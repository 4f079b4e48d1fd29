// SPDX-License-Identifier: Apache-2.0
//! Whitelist entries as they are stored, with their hits. What they mean is `policy`'s to say.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::{Sha256, WhitelistId};
use rusqlite::types::Type;
use rusqlite::{Row, params};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhitelistRow {
    /// Identity.
    pub id: WhitelistId,
    /// `hash`, `file_path`, `process_path`, `process_cmdline`.
    pub field: String,
    /// `equal`, `contain`, `not_equal`, `not_contain`.
    pub judge: String,
    /// Raw bytes.
    pub value: Vec<u8>,
    /// The content a path entry is bound to.
    pub sha256: Option<Sha256>,
    /// A path entry holds whatever the content.
    pub any_content: bool,
    /// What people wrote about it.
    pub description: String,
    /// Milliseconds UTC.
    pub added_ms: i64,
    /// Who: `uid N`, or a server's user.
    pub added_by: String,
    /// How often it held.
    pub hits: u64,
    /// When it held last, milliseconds UTC.
    pub last_hit_ms: Option<i64>,
    /// Only for this class.
    pub class: Option<String>,
    /// Holds until then, milliseconds UTC.
    pub expires_ms: Option<i64>,
}

impl Database {
    /// Every entry, oldest first.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn whitelist(&self) -> Result<Vec<WhitelistRow>, StateError> {
        self.lock()
            .prepare_cached(
                "SELECT id, field, judge, value, sha256, any_content, description, added_ms, added_by, hits, \
                 last_hit_ms, class, expires_ms FROM whitelist ORDER BY added_ms, id",
            )
            .and_then(|mut s| s.query_map([], row)?.collect::<rusqlite::Result<Vec<_>>>())
            .while_to("list the whitelist")
    }

    /// Stores an entry; one with the same id is replaced.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn put_whitelist(&self, row: &WhitelistRow) -> Result<(), StateError> {
        self.lock()
            .execute(
                "INSERT OR REPLACE INTO whitelist (id, field, judge, value, sha256, any_content, description, \
                 added_ms, added_by, hits, last_hit_ms, class, expires_ms) VALUES \
                 (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
                params![
                    row.id.to_string(),
                    row.field,
                    row.judge,
                    row.value,
                    row.sha256.map(|h| h.0),
                    row.any_content,
                    row.description,
                    row.added_ms,
                    row.added_by,
                    i64::try_from(row.hits).unwrap_or(i64::MAX),
                    row.last_hit_ms,
                    row.class,
                    row.expires_ms,
                ],
            )
            .map(|_| ())
            .while_to("store a whitelist entry")
    }

    /// Removes an entry; `false` when there was none.
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn remove_whitelist(&self, id: WhitelistId) -> Result<bool, StateError> {
        self.lock()
            .execute("DELETE FROM whitelist WHERE id = ?1", [id.to_string()])
            .map(|n| n > 0)
            .while_to("remove a whitelist entry")
    }

    /// Counts one hit; `false` when there is no such entry (any more).
    ///
    /// # Errors
    /// When SQLite cannot write.
    pub fn count_whitelist_hit(&self, id: WhitelistId, now_ms: i64) -> Result<bool, StateError> {
        self.lock()
            .execute(
                "UPDATE whitelist SET hits = hits + 1, last_hit_ms = ?2 WHERE id = ?1",
                params![id.to_string(), now_ms],
            )
            .map(|n| n > 0)
            .while_to("count a whitelist hit")
    }
}

fn row(r: &Row<'_>) -> rusqlite::Result<WhitelistRow> {
    let id: String = r.get(0)?;
    let id = id.parse().map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(e)))?;
    Ok(WhitelistRow {
        id,
        field: r.get(1)?,
        judge: r.get(2)?,
        value: r.get(3)?,
        sha256: r.get::<_, Option<[u8; 32]>>(4)?.map(Sha256),
        any_content: r.get(5)?,
        description: r.get(6)?,
        added_ms: r.get(7)?,
        added_by: r.get(8)?,
        hits: u64::try_from(r.get::<_, i64>(9)?).unwrap_or(0),
        last_hit_ms: r.get(10)?,
        class: r.get(11)?,
        expires_ms: r.get(12)?,
    })
}
