// SPDX-License-Identifier: Apache-2.0
//! Rows of many keys of 32 bytes with one statement that is planned once, however many keys there are.

use super::SHA256;
use crate::db::sql::Sql;

/// Keys of one statement: few sizes, so that each is prepared once. SQLite only.
const SIZES: [usize; 4] = [1, 16, 128, 512];

/// Keys of one statement at most.
pub(super) const MOST: usize = SIZES[3];

/// `SELECT columns FROM table t ... WHERE t.key IN (keys) AND t.column = value ...`; at most [`MOST`] keys,
/// each of 32 bytes.
pub(super) struct Keys<'a> {
    pub(super) columns: &'static str,
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    pub(super) equal: &'a [(&'static str, &'a str)],
}

impl Keys<'_> {
    pub(super) fn select(&self, postgres: bool, keys: &[&[u8]]) -> Sql {
        let Self { columns, table, key, equal } = self;
        let mut sql = Sql::built(String::with_capacity(256 + keys.len() * 2));
        if postgres {
            // One parameter of all keys: a list of hundreds would be planned anew each time.
            sql.push(&format!("SELECT {columns} FROM generate_series(0::BIGINT, "));
            sql.arg(i64::try_from(keys.len()).unwrap_or(0) - 1);
            sql.push(&format!(") AS g JOIN {table} AS t ON t.{key} = substring("));
            sql.arg(keys.concat());
            sql.push(&format!(" FROM CAST(g * {SHA256} + 1 AS INTEGER) FOR {SHA256})"));
            for (column, value) in *equal {
                sql.push(&format!(" AND t.{column} = "));
                sql.arg(*value);
            }
            return sql;
        }
        sql.push(&format!("SELECT {columns} FROM {table} AS t WHERE "));
        for (column, value) in *equal {
            sql.push(&format!("t.{column} = ? AND "));
            sql.args.push((*value).into());
        }
        sql.push(&format!("t.{key} IN ("));
        let size = SIZES.into_iter().find(|s| *s >= keys.len()).unwrap_or(keys.len());
        // The last one again and again fills the statement up: a key is found once all the same.
        for n in 0..size {
            sql.push(if n == 0 { "?" } else { ",?" });
            sql.args.push(keys.get(n).or(keys.last()).map_or(Vec::new(), |k| k.to_vec()).into());
        }
        sql.push(")");
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::value::Value;

    #[test]
    fn statements_have_few_sizes() {
        let keys: Vec<Vec<u8>> = (0..20).map(|n| vec![n; 32]).collect();
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let of = Keys { columns: "t.a", table: "x", key: "k", equal: &[("p", "1")] };
        let (two, three) = (of.select(false, &keys[..2]), of.select(false, &keys[..3]));
        assert_eq!(two.text, three.text);
        assert_eq!((two.args.len(), two.args.first()), (17, Some(&Value::Text("1".into()))));
        assert_eq!(two.args.last(), Some(&Value::Bytes(vec![1; 32])));
        assert_eq!(of.select(false, &keys).args.len(), 129);
        let all = of.select(true, &keys);
        assert_eq!(all.args.len(), 3);
        assert_eq!(
            all.text,
            "SELECT t.a FROM generate_series(0::BIGINT, $1) AS g JOIN x AS t ON t.k = substring($2 FROM \
             CAST(g * 32 + 1 AS INTEGER) FOR 32) AND t.p = $3"
        );
    }
}
