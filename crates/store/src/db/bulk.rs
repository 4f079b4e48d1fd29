// SPDX-License-Identifier: Apache-2.0
//! Many rows in few statements.

use super::conn::Tx;
use super::sql::Sql;
use super::value::Value;
use crate::error::Result;

/// Rows of one statement: few sizes, so that each is prepared once.
const SIZES: [usize; 4] = [96, 24, 6, 1];

/// `head VALUES (...), (...) tail`.
pub(crate) struct Bulk {
    /// `INSERT INTO t (a, b)`.
    pub(crate) head: &'static str,
    /// `ON CONFLICT ...`, or empty.
    pub(crate) tail: &'static str,
}

impl Bulk {
    /// Writes them all; rows of one call must not meet in `tail`'s conflict.
    pub(crate) async fn run(&self, tx: &mut Tx, rows: Vec<Vec<Value>>) -> Result<u64> {
        let mut written = 0;
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        while left > 0 {
            let size = SIZES.into_iter().find(|s| *s <= left).unwrap_or(1);
            left -= size;
            let part: Vec<_> = rows.by_ref().take(size).collect();
            written += tx.run(self.statement(tx.is_postgres(), part)).await?;
        }
        Ok(written)
    }

    fn statement(&self, postgres: bool, rows: Vec<Vec<Value>>) -> Sql {
        use std::fmt::Write;
        let columns = rows.first().map_or(0, Vec::len);
        let mut text = String::with_capacity(self.head.len() + self.tail.len() + rows.len() * columns * 6);
        text.push_str(self.head);
        text.push_str(" VALUES ");
        let mut n = 0;
        for row in 0..rows.len() {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 0..columns {
                if column > 0 {
                    text.push(',');
                }
                n += 1;
                // SQLite looks a numbered parameter up in a list, each time from its beginning.
                if postgres {
                    let _ = write!(text, "${n}");
                } else {
                    text.push('?');
                }
            }
            text.push(')');
        }
        text.push(' ');
        text.push_str(self.tail);
        let mut sql = Sql::built(text);
        sql.args = rows.into_iter().flatten().collect();
        sql
    }
}
