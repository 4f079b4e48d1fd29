// SPDX-License-Identifier: Apache-2.0
//! What goes into a statement and what comes out of a row, the same for both databases.

use crate::error::{Result, StoreError};
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Flag(bool),
    Text(String),
    MaybeText(Option<String>),
    Bytes(Vec<u8>),
}

impl Value {
    /// PostgreSQL has no U+0000 in a text; what a host sends must not be able to stop its own ingest.
    fn clean(text: &str) -> String {
        if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
    }
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<u32> for Value {
    fn from(v: u32) -> Self {
        Self::Int(i64::from(v))
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Self::Flag(v)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(Self::clean(v))
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(Self::clean(v))
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(if v.contains('\0') { Self::clean(&v) } else { v })
    }
}
impl From<&Option<String>> for Value {
    fn from(v: &Option<String>) -> Self {
        Self::MaybeText(v.as_deref().map(Self::clean))
    }
}
impl From<Option<&str>> for Value {
    fn from(v: Option<&str>) -> Self {
        Self::MaybeText(v.map(Self::clean))
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Bytes(v.to_vec())
    }
}
impl From<&Vec<u8>> for Value {
    fn from(v: &Vec<u8>) -> Self {
        Self::Bytes(v.clone())
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Bytes(v)
    }
}

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// The columns of a row, one after the other in the order of the statement.
pub(crate) struct Fields<'a> {
    row: &'a Row,
    at: usize,
}

macro_rules! take {
    ($self:ident, $t:ty) => {{
        let at = $self.at;
        $self.at += 1;
        match $self.row {
            Row::Sqlite(r) => r.try_get::<$t, _>(at),
            Row::Postgres(r) => r.try_get::<$t, _>(at),
        }
        .map_err(StoreError::from)
    }};
}

impl Row {
    /// From the first column on.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields { row: self, at: 0 }
    }
}

impl Fields<'_> {
    /// Passes over columns.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.at += columns;
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        take!(self, i64)
    }

    pub(crate) fn maybe_int(&mut self) -> Result<Option<i64>> {
        take!(self, Option<i64>)
    }

    pub(crate) fn count(&mut self) -> Result<u64> {
        Ok(u64::try_from(self.int()?).unwrap_or(0))
    }

    pub(crate) fn flag(&mut self) -> Result<bool> {
        take!(self, bool)
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        take!(self, String)
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>> {
        take!(self, Option<String>)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>> {
        take!(self, Vec<u8>)
    }

    pub(crate) fn position(&mut self) -> Result<crate::Position> {
        Ok(crate::Position { epoch: self.int()?, seq: self.int()? })
    }
}
