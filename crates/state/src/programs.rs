// SPDX-License-Identifier: Apache-2.0
//! The inventory: programs and scripts of this host by path, with what they are. A row's version counts up
//! with each change that a server should hear of.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::{FileRef, FileTime, Sha256};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

/// A program that goes on being there is told again after this long.
const TOLD_AGAIN_MS: i64 = 24 * 3600 * 1000;

const COLUMNS: &str =
    "path, sha256, size, kind, packaged, dev, ino, ctime_s, ctime_ns, first_ms, last_ms, gone, version";

/// A program as a sensor has just seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramSeen {
    /// Where, raw bytes.
    pub path: Vec<u8>,
    /// The content that was scanned.
    pub sha256: Sha256,
    /// `executable`, `script`.
    pub kind: String,
    /// A package of this host owns it, and it is as the package says.
    pub packaged: bool,
    /// The inode with that content.
    pub file: FileRef,
    /// When, milliseconds UTC.
    pub at_ms: i64,
}

/// A row of the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramRow {
    /// Where, raw bytes.
    pub path: Vec<u8>,
    /// Its content.
    pub sha256: Sha256,
    /// `executable`, `script`.
    pub kind: String,
    /// A package of this host owns it, and it is as the package says.
    pub packaged: bool,
    /// The inode that had that content.
    pub file: FileRef,
    /// That content is there since, milliseconds UTC.
    pub first_ms: i64,
    /// It was seen last; with `gone`, when that was noticed.
    pub last_ms: i64,
    /// It is not there any more, or has another content.
    pub gone: bool,
    /// Counts up over all rows.
    pub version: u64,
}

fn row(r: &Row<'_>) -> rusqlite::Result<ProgramRow> {
    let size: i64 = r.get(2)?;
    let (dev, ino): (i64, i64) = (r.get(5)?, r.get(6)?);
    let version: i64 = r.get(12)?;
    Ok(ProgramRow {
        path: r.get(0)?,
        sha256: Sha256(r.get(1)?),
        kind: r.get(3)?,
        packaged: r.get(4)?,
        file: FileRef {
            dev: dev.cast_unsigned(),
            ino: ino.cast_unsigned(),
            ctime: FileTime { sec: r.get(7)?, nsec: r.get(8)? },
            size: size.cast_unsigned(),
        },
        first_ms: r.get(9)?,
        last_ms: r.get(10)?,
        gone: r.get(11)?,
        version: version.cast_unsigned(),
    })
}

/// Never below what was given before, and above what a database had that is lost.
fn next_version(tx: &Transaction<'_>, now_ms: i64) -> rusqlite::Result<i64> {
    let last: Option<i64> =
        tx.prepare_cached("SELECT max(version) FROM programs")?.query_row([], |r| r.get(0))?;
    Ok(last.unwrap_or(0).saturating_add(1).max(now_ms))
}

impl Database {
    /// Keeps what was seen; gives back how many rows a server should hear of.
    ///
    /// # Errors
    /// When SQLite cannot write; none is kept then.
    pub fn put_programs(&self, seen: &[ProgramSeen]) -> Result<usize, StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("store programs")?;
        let mut news = 0;
        for one in seen {
            news += usize::from(put(&tx, one).while_to("store a program")?);
        }
        tx.commit().while_to("store programs")?;
        Ok(news)
    }

    /// The row of a path.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn program(&self, path: &[u8]) -> Result<Option<ProgramRow>, StateError> {
        self.lock()
            .prepare_cached(&format!("SELECT {COLUMNS} FROM programs WHERE path = ?1"))
            .and_then(|mut s| s.query_row([path], row).optional())
            .while_to("look a program up")
    }

    /// Where a content is, at most `limit` places.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn program_places(&self, sha256: Sha256, limit: u32) -> Result<Vec<ProgramRow>, StateError> {
        let sql = format!("SELECT {COLUMNS} FROM programs WHERE sha256 = ?1 AND gone = 0 LIMIT ?2");
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_map(params![sha256.0, limit], row)?.collect())
            .while_to("look up where a program is")
    }

    /// Rows above a version, in the order of versions.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn programs_after(&self, version: u64, limit: u32) -> Result<Vec<ProgramRow>, StateError> {
        let after = i64::try_from(version).unwrap_or(i64::MAX);
        let sql = format!("SELECT {COLUMNS} FROM programs WHERE version > ?1 ORDER BY version LIMIT ?2");
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_map(params![after, limit], row)?.collect())
            .while_to("list programs that changed")
    }

    /// Rows of what is there, behind a path, in the order of paths.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn programs_behind(&self, path: &[u8], limit: u32) -> Result<Vec<ProgramRow>, StateError> {
        let sql =
            format!("SELECT {COLUMNS} FROM programs WHERE path > ?1 AND gone = 0 ORDER BY path LIMIT ?2");
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_map(params![path, limit], row)?.collect())
            .while_to("list programs")
    }

    /// These are not there any more, unless a newer row says otherwise.
    ///
    /// # Errors
    /// When SQLite cannot write; none is marked then.
    pub fn programs_gone(&self, rows: &[ProgramRow], now_ms: i64) -> Result<usize, StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("mark programs as gone")?;
        let mut marked = 0;
        for one in rows {
            marked += gone(&tx, one, now_ms).while_to("mark a program as gone")?;
        }
        tx.commit().while_to("mark programs as gone")?;
        Ok(marked)
    }

    /// How many rows stand above a version.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn count_programs_after(&self, version: u64) -> Result<u64, StateError> {
        let after = i64::try_from(version).unwrap_or(i64::MAX);
        self.lock()
            .query_row("SELECT count(*) FROM programs WHERE version > ?1", [after], |r| r.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .while_to("count programs that changed")
    }

    /// How many programs are there.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn count_programs(&self) -> Result<u64, StateError> {
        self.lock()
            .query_row("SELECT count(*) FROM programs WHERE gone = 0", [], |r| r.get::<_, i64>(0))
            .map(i64::cast_unsigned)
            .while_to("count programs")
    }

    /// Forgets what is gone since before `before_ms` and known to be by the server (up to `acked`), and
    /// marks as gone what is seen longest ago when there are more than `at_most`.
    ///
    /// # Errors
    /// When SQLite cannot write; nothing is forgotten then.
    pub fn trim_programs(
        &self,
        acked: u64,
        before_ms: i64,
        at_most: u32,
        now_ms: i64,
    ) -> Result<usize, StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("forget programs")?;
        let done = trim(&tx, i64::try_from(acked).unwrap_or(i64::MAX), before_ms, at_most, now_ms);
        let done = done.while_to("forget programs")?;
        tx.commit().while_to("forget programs")?;
        Ok(done)
    }
}

fn put(tx: &Transaction<'_>, seen: &ProgramSeen) -> rusqlite::Result<bool> {
    let known = tx
        .prepare_cached(&format!("SELECT {COLUMNS} FROM programs WHERE path = ?1"))?
        .query_row([&seen.path], row)
        .optional()?;
    let known = known.filter(|k| !k.gone && k.sha256 == seen.sha256);
    let file = seen.file;
    if let Some(known) = &known {
        let same = known.packaged == seen.packaged && known.kind == seen.kind;
        if same && seen.at_ms < known.last_ms.saturating_add(TOLD_AGAIN_MS) {
            // Another inode with the same content is no news for anybody else.
            if known.file != file {
                tx.prepare_cached(
                    "UPDATE programs SET dev = ?2, ino = ?3, ctime_s = ?4, ctime_ns = ?5, size = ?6 WHERE path = ?1",
                )?
                .execute(params![
                    seen.path,
                    file.dev.cast_signed(),
                    file.ino.cast_signed(),
                    file.ctime.sec,
                    file.ctime.nsec,
                    file.size.cast_signed()
                ])?;
            }
            return Ok(false);
        }
    }
    let version = next_version(tx, seen.at_ms)?;
    tx.prepare_cached(&format!(
        "INSERT OR REPLACE INTO programs ({COLUMNS}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12)"
    ))?
    .execute(params![
        seen.path,
        seen.sha256.0,
        file.size.cast_signed(),
        seen.kind,
        seen.packaged,
        file.dev.cast_signed(),
        file.ino.cast_signed(),
        file.ctime.sec,
        file.ctime.nsec,
        known.map_or(seen.at_ms, |k| k.first_ms),
        seen.at_ms,
        version
    ])?;
    Ok(true)
}

fn gone(tx: &Transaction<'_>, one: &ProgramRow, now_ms: i64) -> rusqlite::Result<usize> {
    let version = next_version(tx, now_ms)?;
    tx.prepare_cached(
        "UPDATE programs SET gone = 1, last_ms = ?2, version = ?3 WHERE path = ?1 AND gone = 0 AND version = ?4",
    )?
    .execute(params![one.path, now_ms, version, one.version.cast_signed()])
}

fn trim(
    tx: &Transaction<'_>,
    acked: i64,
    before_ms: i64,
    at_most: u32,
    now_ms: i64,
) -> rusqlite::Result<usize> {
    // The newest stays: versions count up from it.
    let mut done = tx.execute(
        "DELETE FROM programs WHERE gone = 1 AND last_ms < ?1 AND version <= ?2 \
         AND version < (SELECT max(version) FROM programs)",
        params![before_ms, acked],
    )?;
    let all: i64 = tx.query_row("SELECT count(*) FROM programs WHERE gone = 0", [], |r| r.get(0))?;
    let over = all.saturating_sub(i64::from(at_most));
    if over > 0 {
        let sql = format!("SELECT {COLUMNS} FROM programs WHERE gone = 0 ORDER BY last_ms, path LIMIT ?1");
        let oldest: Vec<ProgramRow> =
            tx.prepare(&sql)?.query_map([over], row)?.collect::<rusqlite::Result<_>>()?;
        for one in &oldest {
            done += gone(tx, one, now_ms)?;
        }
    }
    Ok(done)
}
