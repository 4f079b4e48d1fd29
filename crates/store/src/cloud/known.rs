// SPDX-License-Identifier: Apache-2.0
//! Content lists: millions of hashes that are good or bad for all projects alike.

use super::check_hash;
use crate::db::bulk::Bulk;
use crate::db::conn::Tx;
use crate::db::page::hex;
use crate::db::sql::sql;
use crate::db::value::Value;
use crate::error::{Result, StoreError};
use crate::{KnownFile, Store};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The newest list that names a hash has it, but none makes good what another calls bad.
const TAIL: &str = "ON CONFLICT (sha256) DO UPDATE SET bad = excluded.bad, source = excluded.source, \
     name = excluded.name WHERE excluded.bad OR NOT known_files.bad";

/// A copy of the rows goes before the rows: PostgreSQL takes it as fast as it can.
const STAGE: &str = "CREATE TEMPORARY TABLE known_stage (sha256 BYTEA, bad BOOLEAN, source BIGINT, \
     name TEXT) ON COMMIT DROP";

async fn numbers<'a>(tx: &mut Tx, names: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, i64>> {
    let mut out = BTreeMap::new();
    for name in names {
        if out.contains_key(name) {
            continue;
        }
        let find = || sql("SELECT number FROM known_sources WHERE name = $1").bind(name);
        let mut row = tx.one(find()).await?;
        if row.is_none() {
            tx.run(
                sql("INSERT INTO known_sources (number, name) \
                     SELECT COALESCE(max(number), 0) + 1, $1 FROM known_sources WHERE TRUE \
                     ON CONFLICT (name) DO NOTHING")
                .bind(name),
            )
            .await?;
            row = tx.one(find()).await?;
        }
        let row =
            row.ok_or_else(|| StoreError::Other(format!("the list {name:?} has no number: ask again")))?;
        out.insert(name.to_owned(), row.fields().int()?);
    }
    Ok(out)
}

/// A line of COPY in its text form.
fn line(out: &mut String, sha256: &[u8], bad: bool, source: i64, name: &str) {
    let _ = write!(out, "\\\\x{}\t{}\t{source}\t", hex(sha256), if bad { 't' } else { 'f' });
    for c in name.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out.push('\n');
}

impl Store {
    /// Adds files of content lists, for all projects, in one transaction. Fast in portions of 10,000 to
    /// 100,000, above all when they are in order. A newer list replaces what an older one said of a hash, but
    /// what any list calls bad stays bad until that list is taken away.
    ///
    /// # Errors
    /// `BadRequest` for a hash that is none; of the database.
    pub async fn add_known(&self, files: Vec<KnownFile>) -> Result<()> {
        let mut rows: BTreeMap<Vec<u8>, KnownFile> = BTreeMap::new();
        for file in files {
            check_hash(&file.sha256)?;
            match rows.get(&file.sha256) {
                Some(other) if other.bad && !file.bad => {}
                _ => {
                    rows.insert(file.sha256.clone(), file);
                }
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        tx.lock(LOCK).await?;
        let numbers = numbers(&mut tx, rows.values().map(|f| f.source.as_str())).await?;
        let number = |f: &KnownFile| numbers.get(&f.source).copied().unwrap_or(0);
        if tx.is_postgres() {
            tx.script(STAGE).await?;
            if let Tx::Postgres(t) = &mut tx {
                let mut copy = t.copy_in_raw("COPY known_stage FROM STDIN").await?;
                let mut text = String::with_capacity(1 << 20);
                for f in rows.values() {
                    line(&mut text, &f.sha256, f.bad, number(f), &f.name);
                    if text.len() > (1 << 20) - 4096 {
                        copy.send(text.as_bytes()).await?;
                        text.clear();
                    }
                }
                copy.send(text.as_bytes()).await?;
                copy.finish().await?;
            }
            let mut insert = sql("");
            insert.push(
                "INSERT INTO known_files (sha256, bad, source, name) \
                 SELECT sha256, bad, source, name FROM known_stage ",
            );
            insert.push(TAIL);
            tx.run(insert).await?;
        } else {
            let rows = rows.into_values().map(|f| -> Vec<Value> {
                let number = number(&f);
                vec![f.sha256.into(), f.bad.into(), number.into(), f.name.into()]
            });
            Bulk { head: "INSERT INTO known_files (sha256, bad, source, name)", tail: TAIL }
                .run(&mut tx, rows.collect())
                .await?;
        }
        self.commit(tx).await
    }

    /// Takes a whole list away; how many files. In portions: others write in between. What breaks off goes on
    /// under the name that [`Store::known_sources`] has for it then.
    ///
    /// # Errors
    /// `NotFound` when there is no such list.
    pub async fn remove_known(&self, source: &str) -> Result<u64> {
        let row =
            self.pools.one(sql("SELECT number FROM known_sources WHERE name = $1").bind(source)).await?;
        let number = row.ok_or_else(|| StoreError::missing("content list", source))?.fields().int()?;
        // Whoever adds to a list of this name from now on begins another one.
        let rename = sql("UPDATE known_sources SET name = $2 WHERE number = $1")
            .bind(number)
            .bind(format!("{source} (going away, {number})"));
        self.write(rename).await?;
        let mut removed = 0;
        for first in 0..=u8::MAX {
            // From this byte on, before the next one; the last has nothing behind it.
            let end = first.checked_add(1).map_or_else(|| vec![u8::MAX; super::SHA256 + 1], |b| vec![b]);
            let delete = sql("DELETE FROM known_files WHERE sha256 >= $1 AND sha256 < $2 AND source = $3")
                .bind(vec![first])
                .bind(end)
                .bind(number);
            removed += self.pools.run(delete).await?;
        }
        self.pools.run(sql("DELETE FROM known_sources WHERE number = $1").bind(number)).await?;
        Ok(removed)
    }

    /// The lists that were added, by name.
    ///
    /// # Errors
    /// Of the database.
    pub async fn known_sources(&self) -> Result<Vec<String>> {
        let select = sql("SELECT name FROM known_sources ORDER BY name");
        self.pools.all(select).await?.iter().map(|row| row.fields().text()).collect()
    }
}

/// Who adds takes turns: two that meet in the same hashes would wait in a circle.
const LOCK: i64 = 0x6c61_7a61_7265_740a;

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_name_is_one_field_whatever_is_in_it() {
        let mut out = String::new();
        line(&mut out, &[1, 255], true, 7, "a\tb\\c\nd\re\0f");
        assert_eq!(out, "\\\\x01ff\tt\t7\ta\\tb\\\\c\\nd\\re\u{fffd}f\n");
    }
}
