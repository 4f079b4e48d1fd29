// SPDX-License-Identifier: Apache-2.0
//! Alarms: columns to ask by, and the whole as bytes that the agent encodes.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::{AlarmId, IsolatedId, MalwareClass, Rating, Sha256};
use rusqlite::types::{Type, Value};
use rusqlite::{OptionalExtension as _, Row, params, params_from_iter};

/// One alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRow {
    /// Identity.
    pub id: AlarmId,
    /// First seen, milliseconds UTC.
    pub at_ms: i64,
    /// Seen last, milliseconds UTC.
    pub last_ms: i64,
    /// How often.
    pub count: u64,
    /// `None` for alarms about the daemon itself.
    pub class: Option<MalwareClass>,
    /// Same.
    pub rating: Option<Rating>,
    /// Raw bytes; empty where there is no file.
    pub path: Vec<u8>,
    /// Digest of the file, where known.
    pub sha256: Option<Sha256>,
    /// Dealt with.
    pub handled: bool,
    /// About a test program.
    pub test: bool,
    /// Where the file went; the alarm is kept as long as the vault holds it.
    pub isolated: Option<IsolatedId>,
    /// One line for people.
    pub title: String,
    /// Everything else, encoded by the agent; opaque here.
    pub details: Vec<u8>,
}

/// Which alarms are asked for; the default asks for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Only this rating.
    pub rating: Option<Rating>,
    /// Only this class.
    pub class: Option<MalwareClass>,
    /// Only what nobody has dealt with.
    pub unhandled_only: bool,
    /// Only test programs.
    pub tests_only: bool,
    /// Seen last at this time or later, milliseconds UTC.
    pub since_ms: Option<i64>,
    /// At most so many.
    pub limit: Option<u32>,
}

const COLUMNS: &str =
    "id, at_ms, last_ms, count, class, rating, path, sha256, handled, test, isolated, title, details";

impl Database {
    /// Stores a new alarm; it is on disk when this returns.
    ///
    /// # Errors
    /// When SQLite cannot write, or the id is already there.
    pub fn insert_alarm(&self, row: &AlarmRow) -> Result<(), StateError> {
        let sql = format!("INSERT INTO alarms ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.execute(params_from_iter(values(row))))
            .map(|_| ())
            .while_to("store an alarm")
    }

    /// Stores an alarm again as a whole.
    ///
    /// # Errors
    /// When SQLite cannot write, or there is no such alarm.
    pub fn update_alarm(&self, row: &AlarmRow) -> Result<(), StateError> {
        let sql = "UPDATE alarms SET id = ?1, at_ms = ?2, last_ms = ?3, count = ?4, class = ?5, rating = ?6, \
                   path = ?7, sha256 = ?8, handled = ?9, test = ?10, isolated = ?11, title = ?12, details = ?13 \
                   WHERE id = ?1";
        let changed = self
            .lock()
            .prepare_cached(sql)
            .and_then(|mut s| s.execute(params_from_iter(values(row))))
            .while_to("change an alarm")?;
        if changed == 0 { Err(StateError::NoSuchAlarm(row.id.to_string())) } else { Ok(()) }
    }

    /// One alarm by its whole id.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn alarm(&self, id: AlarmId) -> Result<Option<AlarmRow>, StateError> {
        let sql = format!("SELECT {COLUMNS} FROM alarms WHERE id = ?1");
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row([id.to_string()], row))
            .optional()
            .while_to("read an alarm")
    }

    /// One alarm by its whole id or its unique beginning or end, upper or lower case, with or
    /// without the hyphens.
    ///
    /// # Errors
    /// [`StateError::BadId`], [`StateError::NoSuchAlarm`], or [`StateError::Ambiguous`] with the
    /// alarms it could be.
    pub fn find_alarm(&self, part: &str) -> Result<AlarmRow, StateError> {
        let digits: String =
            part.trim().chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
        // Digits only, so that nothing in it is a wildcard for LIKE.
        if !(4..=32).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(StateError::BadId(part.to_owned()));
        }
        let sql = "SELECT id FROM alarms WHERE replace(id, '-', '') LIKE ?1 || '%' \
                   OR replace(id, '-', '') LIKE '%' || ?1 ORDER BY last_ms DESC, id DESC LIMIT 9";
        let mut ids = self
            .lock()
            .prepare_cached(sql)
            .and_then(|mut s| s.query_map([&digits], alarm_id)?.collect::<rusqlite::Result<Vec<_>>>())
            .while_to("look an alarm up")?;
        let none = || StateError::NoSuchAlarm(part.to_owned());
        if ids.len() > 1 {
            let more = ids.len() > 8;
            ids.truncate(8);
            return Err(StateError::Ambiguous { given: part.to_owned(), matches: ids, more });
        }
        let id = ids.pop().ok_or_else(none)?;
        self.alarm(id)?.ok_or_else(none)
    }

    /// The alarms that the filter lets through, newest first.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn alarms(&self, filter: &AlarmFilter) -> Result<Vec<AlarmRow>, StateError> {
        let mut sql = format!("SELECT {COLUMNS} FROM alarms WHERE 1");
        let mut with: Vec<Value> = Vec::new();
        if let Some(rating) = filter.rating {
            sql.push_str(" AND rating = ?");
            with.push(Value::Integer(rating_number(rating)));
        }
        if let Some(class) = filter.class {
            sql.push_str(" AND class = ?");
            with.push(Value::Text(class.word().to_owned()));
        }
        if filter.unhandled_only {
            sql.push_str(" AND handled = 0");
        }
        if filter.tests_only {
            sql.push_str(" AND test = 1");
        }
        if let Some(since) = filter.since_ms {
            sql.push_str(" AND last_ms >= ?");
            with.push(Value::Integer(since));
        }
        sql.push_str(" ORDER BY last_ms DESC, id DESC");
        if let Some(limit) = filter.limit {
            sql.push_str(" LIMIT ?");
            with.push(Value::Integer(i64::from(limit)));
        }
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_map(params_from_iter(with), row)?.collect::<rusqlite::Result<Vec<_>>>())
            .while_to("list the alarms")
    }

    /// The newest alarm that nobody has dealt with on the same file and content, seen at `since_ms`
    /// or later: the one that a repeat is counted on. One that was handled is over; what comes
    /// after it is a new alarm.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn recent_same(
        &self,
        sha256: Option<Sha256>,
        path: &[u8],
        since_ms: i64,
    ) -> Result<Option<AlarmRow>, StateError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alarms WHERE path = ?1 AND last_ms >= ?2 AND sha256 IS ?3 AND handled = 0 \
             ORDER BY last_ms DESC, id DESC LIMIT 1"
        );
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row(params![path, since_ms, sha256.map(|h| h.0)], row))
            .optional()
            .while_to("look for the same alarm")
    }

    /// The newest alarm other than `but` whose file had this content at this path and was isolated,
    /// seen first at `since_ms` or later.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn isolated_before(
        &self,
        but: AlarmId,
        sha256: Sha256,
        path: &[u8],
        since_ms: i64,
    ) -> Result<Option<AlarmRow>, StateError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alarms WHERE path = ?1 AND at_ms >= ?2 AND sha256 IS ?3 AND id <> ?4 \
             AND isolated IS NOT NULL ORDER BY at_ms DESC, id DESC LIMIT 1"
        );
        self.lock()
            .prepare_cached(&sql)
            .and_then(|mut s| s.query_row(params![path, since_ms, sha256.0, but.to_string()], row))
            .optional()
            .while_to("look for the alarm before")
    }

    /// How many alarms nobody has dealt with.
    ///
    /// # Errors
    /// When SQLite cannot read.
    pub fn count_unhandled(&self) -> Result<u64, StateError> {
        self.lock()
            .query_row("SELECT count(*) FROM alarms WHERE handled = 0", [], |r| r.get::<_, i64>(0))
            .map(|n| u64::try_from(n).unwrap_or(0))
            .while_to("count the alarms")
    }
}

fn values(row: &AlarmRow) -> Vec<Value> {
    vec![
        Value::Text(row.id.to_string()),
        Value::Integer(row.at_ms),
        Value::Integer(row.last_ms),
        Value::Integer(i64::try_from(row.count).unwrap_or(i64::MAX)),
        row.class.map_or(Value::Null, |c| Value::Text(c.word().to_owned())),
        row.rating.map_or(Value::Null, |r| Value::Integer(rating_number(r))),
        Value::Blob(row.path.clone()),
        row.sha256.map_or(Value::Null, |h| Value::Blob(h.0.to_vec())),
        Value::Integer(i64::from(row.handled)),
        Value::Integer(i64::from(row.test)),
        row.isolated.map_or(Value::Null, |i| Value::Text(i.to_string())),
        Value::Text(row.title.clone()),
        Value::Blob(row.details.clone()),
    ]
}

fn row(r: &Row<'_>) -> rusqlite::Result<AlarmRow> {
    let class: Option<String> = r.get(4)?;
    let rating: Option<i64> = r.get(5)?;
    let isolated: Option<String> = r.get(10)?;
    Ok(AlarmRow {
        id: alarm_id(r)?,
        at_ms: r.get(1)?,
        last_ms: r.get(2)?,
        count: u64::try_from(r.get::<_, i64>(3)?).unwrap_or(0),
        class: class.map(|c| parsed(4, c.parse())).transpose()?,
        rating: rating.map(|n| number_rating(5, n)).transpose()?,
        path: r.get(6)?,
        sha256: r.get::<_, Option<[u8; 32]>>(7)?.map(Sha256),
        handled: r.get(8)?,
        test: r.get(9)?,
        isolated: isolated.map(|i| parsed(10, i.parse())).transpose()?,
        title: r.get(11)?,
        details: r.get(12)?,
    })
}

fn alarm_id(r: &Row<'_>) -> rusqlite::Result<AlarmId> {
    parsed(0, r.get::<_, String>(0)?.parse())
}

fn parsed<T, E: std::error::Error + Send + Sync + 'static>(
    column: usize,
    value: Result<T, E>,
) -> rusqlite::Result<T> {
    value.map_err(|e| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(e)))
}

const fn rating_number(rating: Rating) -> i64 {
    match rating {
        Rating::Low => 0,
        Rating::Medium => 1,
        Rating::High => 2,
    }
}

fn number_rating(column: usize, n: i64) -> rusqlite::Result<Rating> {
    match n {
        0 => Ok(Rating::Low),
        1 => Ok(Rating::Medium),
        2 => Ok(Rating::High),
        _ => Err(rusqlite::Error::IntegralValueOutOfRange(column, n)),
    }
}
