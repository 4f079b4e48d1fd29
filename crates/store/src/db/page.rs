// SPDX-License-Identifier: Apache-2.0
//! Pages by key: stable while rows arrive, the same cost wherever one reads.

use super::conn::Pools;
use super::sql::{Filter, Sql};
use super::value::{Fields, Row, Value};
use crate::error::{Result, StoreError};
use crate::{COUNT_CAP, Cursor, Page};

/// The two columns that a list is ordered by; the second makes it unique.
pub(crate) struct Order {
    pub(crate) first: &'static str,
    pub(crate) second: &'static str,
    pub(crate) kind: Kind,
}

/// What the two columns hold, and which end comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number and a text, greatest first.
    NewestFirst,
    /// Two numbers, greatest first.
    NumbersDown,
    /// Two texts, least first.
    Alphabet,
    /// A number and bytes, greatest first.
    NewestBytes,
    /// A text and bytes, least first.
    AlphabetBytes,
}

impl Kind {
    fn begins_with_text(self) -> bool {
        matches!(self, Self::Alphabet | Self::AlphabetBytes)
    }

    fn ends_with_bytes(self) -> bool {
        matches!(self, Self::NewestBytes | Self::AlphabetBytes)
    }
}

/// Where a page begins, and what was counted on the first one.
struct Place {
    first: Value,
    second: Value,
    total: u64,
}

impl Order {
    fn place(&self, text: &str) -> Result<Place> {
        let bad = || {
            StoreError::BadRequest(format!(
                "the cursor {text:.80?} is none of this list: begin without one, then take `next` of each page"
            ))
        };
        let plain = unhex(text).and_then(|b| String::from_utf8(b).ok()).ok_or_else(bad)?;
        let mut parts = plain.splitn(4, '\n');
        let (Some(mark), Some(total), Some(first), Some(second)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        if mark != self.first {
            return Err(bad());
        }
        let number = |t: &str| t.parse::<i64>().map(Value::Int).map_err(|_| bad());
        Ok(Place {
            first: if self.kind.begins_with_text() { text_of(first) } else { number(first)? },
            second: match self.kind {
                Kind::NumbersDown => number(second)?,
                Kind::NewestBytes | Kind::AlphabetBytes => Value::Bytes(unhex(second).ok_or_else(bad)?),
                Kind::NewestFirst | Kind::Alphabet => text_of(second),
            },
            total: total.parse().map_err(|_| bad())?,
        })
    }

    /// Place and total of a cursor of a list that is ordered by one number.
    pub(crate) fn number(&self, text: &str) -> Result<(i64, u64)> {
        let Place { first, total, .. } = self.place(text)?;
        match first {
            Value::Int(n) => Ok((n, total)),
            _ => Err(StoreError::BadRequest("the cursor is none of this list: begin without one".into())),
        }
    }

    /// Such a cursor.
    pub(crate) fn numbered(&self, total: u64, number: i64) -> String {
        hex(format!("{}\n{total}\n{number}\n", self.first).as_bytes())
    }

    fn cursor(&self, total: u64, row: &Row, columns: usize) -> Result<String> {
        let mut fields = row.fields();
        fields.skip(columns);
        let first =
            if self.kind.begins_with_text() { one_line(&fields.text()?) } else { fields.int()?.to_string() };
        let second = match self.kind {
            Kind::NumbersDown => fields.int()?.to_string(),
            kind if kind.ends_with_bytes() => hex(&fields.bytes()?),
            _ => fields.text()?,
        };
        Ok(hex(format!("{}\n{total}\n{first}\n{second}", self.first).as_bytes()))
    }
}

/// Line ends separate the parts of a cursor.
const LINE_END: char = '\u{e000}';

fn one_line(text: &str) -> String {
    text.replace('\n', &LINE_END.to_string())
}

fn text_of(text: &str) -> Value {
    Value::Text(text.replace(LINE_END, "\n"))
}

/// How many entries the page has.
pub(crate) fn limited(cursor: &Cursor) -> Result<usize> {
    if cursor.limit == 0 || cursor.limit > 1000 {
        return Err(StoreError::BadRequest(format!(
            "a page has 1 to 1000 entries, not {}: ask for several pages",
            cursor.limit
        )));
    }
    Ok(cursor.limit as usize)
}

/// One page of a table; `columns` and `read` belong together.
pub(crate) async fn page<T>(
    pools: &Pools,
    (columns, table): (&str, &str),
    filter: &Filter,
    order: &Order,
    cursor: &Cursor,
    read: impl Fn(&mut Fields<'_>) -> Result<T>,
) -> Result<Page<T>> {
    limited(cursor)?;
    let place = cursor.after.as_deref().map(|t| order.place(t)).transpose()?;
    let total = match &place {
        Some(place) => place.total,
        None => count(pools, filter, table).await?,
    };
    let Order { first, second, .. } = order;
    let asked = Asked { filter, place: place.as_ref(), table, limit: i64::from(cursor.limit) + 1 };
    let mut rows = pools.all(order.select(&format!("{columns}, {first}, {second}"), &asked)).await?;
    let more = rows.len() > cursor.limit as usize;
    rows.truncate(cursor.limit as usize);
    let next = match rows.last() {
        Some(last) if more => Some(order.cursor(total, last, columns.split(',').count())?),
        _ => None,
    };
    let items = rows.iter().map(|r| read(&mut r.fields())).collect::<Result<Vec<_>>>()?;
    Ok(Page { items, next, total })
}

/// What a page is asked for.
struct Asked<'a> {
    filter: &'a Filter,
    place: Option<&'a Place>,
    table: &'a str,
    limit: i64,
}

impl Order {
    fn direction(&self) -> &'static str {
        if self.kind.begins_with_text() { "" } else { " DESC" }
    }

    /// These columns of the rows of a page, in order.
    fn select(&self, columns: &str, asked: &Asked<'_>) -> Sql {
        let Self { first, second, .. } = self;
        let Asked { filter, place, table, limit } = *asked;
        let (direction, than) = (self.direction(), if self.kind.begins_with_text() { '>' } else { '<' });
        let mut sql = filter.select(columns, table);
        if let Some(place) = place {
            sql.push(&format!(" AND ({first}, {second}) {than} ("));
            sql.arg(place.first.clone());
            sql.push(", ");
            sql.arg(place.second.clone());
            sql.push(")");
        }
        sql.push(&format!(" ORDER BY {first}{direction}, {second}{direction} LIMIT "));
        sql.arg(limit);
        sql
    }
}

/// How many there are, up to [`COUNT_CAP`].
async fn count(pools: &Pools, filter: &Filter, table: &str) -> Result<u64> {
    let inner = filter.select("1", table);
    let mut sql = Sql::built(format!("SELECT count(*) FROM ({} LIMIT {COUNT_CAP}) AS counted", inner.text));
    sql.args = inner.args;
    match pools.one(sql).await? {
        Some(row) => row.fields().count(),
        None => Ok(0),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 20_000 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY_NAME: Order = Order { first: "name", second: "id", kind: Kind::Alphabet };

    #[test]
    fn a_foreign_or_broken_cursor_is_refused() {
        for bad in ["", "zz", "abc", "äöü€", &hex(b"x\n1\na\nb"), &hex(b"name\n1\na"), &hex(b"name\nx\na\nb")]
        {
            assert!(matches!(BY_NAME.place(bad), Err(StoreError::BadRequest(_))), "{bad}");
        }
        let place = BY_NAME.place(&hex("name\n7\na\u{e000}b\nc".as_bytes())).unwrap();
        assert_eq!((place.first, place.total), (Value::Text("a\nb".into()), 7));
    }
}
