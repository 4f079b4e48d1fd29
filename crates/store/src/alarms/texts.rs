// SPDX-License-Identifier: Apache-2.0
//! Parts of texts, by an index over three letters each. SQLite has it as a table of its own, kept here in
//! the same transaction; its rowid is the alarm's place, so that it gives the newest first by itself.
//! PostgreSQL keeps its own (pg_trgm). What the index says is always compared with the text itself.

use super::place;
use crate::db::bulk::Bulk;
use crate::db::conn::{Pools, Tx};
use crate::db::sql::{Filter, Sql, like, sql};
use crate::error::Result;
use std::collections::{BTreeMap, BTreeSet};

/// Runs of three characters that SQLite's index is asked for, where a text has more.
const RAREST: usize = 4;
/// Texts that tell how common a run is.
const GLANCE: usize = 200;

/// A text that is looked for, and where.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    /// Column of the alarm, in lower case.
    pub(super) column: &'static str,
    /// SQLite's index of it.
    pub(super) table: &'static str,
    text: String,
    pattern: String,
    /// What the index is asked; `None`: it cannot help.
    pub(super) grams: Option<String>,
}

impl Needle {
    pub(super) fn text(text: &str, postgres: bool) -> Option<Self> {
        Self::new("search", "alarm_texts", text, postgres)
    }

    pub(super) fn container(text: &str, postgres: bool) -> Option<Self> {
        Self::new("container_search", "alarm_containers", text, postgres)
    }

    fn new(column: &'static str, table: &'static str, text: &str, postgres: bool) -> Option<Self> {
        let text = text.replace('\0', "\u{fffd}");
        let grams = if postgres { words(&text) } else { grams(&text) };
        (!text.is_empty()).then(|| Self { column, table, pattern: like(&text), grams, text })
    }

    /// Its words wherever they stand: what PostgreSQL's index finds for it.
    pub(super) fn words(&self, filter: &mut Filter) {
        for word in self.text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| w.len() >= 3) {
            filter.value(&format!("{} LIKE", self.column), like(word));
            filter.append(" ESCAPE '\\'");
        }
    }

    /// The comparison itself. What stands `behind` the column makes it an expression, which no index answers.
    pub(super) fn condition(&self, filter: &mut Filter, behind: &str) {
        if self.column == "container_search" {
            // As the index has it.
            filter.and(&format!("container_search{behind} <> ''"));
        }
        filter.value(&format!("{}{behind} LIKE", self.column), self.pattern.as_str());
        filter.append(" ESCAPE '\\'");
    }
}

/// SQLite: runs of three characters, each as a word of the index.
fn grams(text: &str) -> Option<String> {
    let all = runs(text);
    // A dozen narrow as well as a hundred; the text itself is compared anyway.
    let step = all.len().div_ceil(12).max(1);
    question(all.iter().step_by(step))
}

fn runs(text: &str) -> BTreeSet<String> {
    let letters: Vec<char> = text.to_lowercase().chars().collect();
    letters.windows(3).map(|w| w.iter().collect()).collect()
}

fn question<'a>(grams: impl Iterator<Item = &'a String>) -> Option<String> {
    let words: Vec<String> = grams.map(|g| format!("\"{}\"", g.replace('"', "\"\""))).collect();
    (!words.is_empty()).then(|| words.join(" AND "))
}

/// Of a run that nearly all alarms have, SQLite reads a list of them all: the newest alarms tell which are rare,
/// and those are asked for.
pub(super) async fn rarest(pools: &Pools, needle: &mut Needle) -> Result<()> {
    let all = runs(&needle.text);
    if pools.is_postgres() || all.len() <= RAREST {
        return Ok(());
    }
    let column = needle.column;
    let select = format!("SELECT {column} FROM alarms ORDER BY pos DESC LIMIT {GLANCE}");
    let mut texts = Vec::new();
    for row in pools.all(Sql::built(select)).await? {
        texts.push(row.fields().text()?);
    }
    let mut counts: Vec<(usize, &String)> =
        all.iter().map(|g| (texts.iter().filter(|t| t.contains(g.as_str())).count(), g)).collect();
    counts.sort_unstable();
    needle.grams = question(counts.iter().take(RAREST).map(|(_, g)| *g));
    Ok(())
}

/// PostgreSQL: its index knows words of letters and digits; without three in a row it knows nothing.
fn words(text: &str) -> Option<String> {
    let longest = text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::len).max().unwrap_or_default();
    (longest >= 3).then(String::new)
}

/// One alarm that is about to be written.
pub(super) struct New<'a> {
    pub(super) id: &'a str,
    pub(super) host: &'a str,
    pub(super) pos: i64,
    pub(super) search: &'a str,
    pub(super) container_search: &'a str,
}

/// Takes the old texts out of SQLite's index and puts the new ones in. Before the rows are written.
pub(super) async fn keep(tx: &mut Tx, new: &[New<'_>]) -> Result<()> {
    if tx.is_postgres() || new.is_empty() {
        return Ok(());
    }
    let mut there = BTreeMap::new();
    for part in new.chunks(1000) {
        let mut select = sql("SELECT id, host, pos, search, container_search FROM alarms WHERE id IN ");
        select.list(part.iter().map(|n| n.id));
        for row in tx.all(select).await? {
            let mut f = row.fields();
            there.insert(f.text()?, (f.text()?, f.int()?, f.text()?, f.text()?));
        }
    }
    for (table, container) in [("alarm_texts", false), ("alarm_containers", true)] {
        let (mut out, mut put) = (Vec::new(), BTreeMap::new());
        for n in new {
            let text = if container { n.container_search } else { n.search };
            let mut pos = n.pos;
            if let Some((host, old, search, containers)) = there.get(n.id) {
                // An id that another host has is not written.
                if host != n.host {
                    continue;
                }
                if place::same_time(n.pos, *old) {
                    pos = *old;
                }
                let before = if container { containers } else { search };
                if pos == *old && before == text {
                    continue;
                }
                if !before.is_empty() {
                    out.push(*old);
                }
            }
            if !text.is_empty() {
                put.insert(pos, text);
            }
        }
        remove(tx, table, out).await?;
        let rows = put.into_iter().map(|(pos, text)| vec![pos.into(), text.into()]).collect();
        Bulk { head: head(table), tail: "" }.run(tx, rows).await?;
    }
    Ok(())
}

fn head(table: &str) -> &'static str {
    if table == "alarm_texts" {
        "INSERT INTO alarm_texts (rowid, grams)"
    } else {
        "INSERT INTO alarm_containers (rowid, grams)"
    }
}

/// In order: the index writes a part of its own whenever it has to go back.
async fn remove(tx: &mut Tx, table: &str, mut places: Vec<i64>) -> Result<()> {
    places.sort_unstable();
    for pos in places {
        let mut delete = Sql::built(format!("DELETE FROM {table} WHERE rowid = "));
        delete.arg(pos);
        tx.run(delete).await?;
    }
    Ok(())
}

/// The alarms at these places go; before their rows do.
pub(super) async fn forget(tx: &mut Tx, places: &[i64]) -> Result<()> {
    if tx.is_postgres() {
        return Ok(());
    }
    for table in ["alarm_texts", "alarm_containers"] {
        remove(tx, table, places.to_vec()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_asked_for_runs_of_three() {
        assert_eq!(grams("aBcd").as_deref(), Some("\"abc\" AND \"bcd\""));
        assert_eq!(grams("a\"b").as_deref(), Some("\"a\"\"b\""));
        assert_eq!(grams("äöü").as_deref(), Some("\"äöü\""));
        assert_eq!((grams("ab"), grams("")), (None, None));
        let long: String = (0..200).map(|n| char::from(b'a' + (n % 23) as u8)).collect();
        assert!(grams(&long).unwrap().matches(" AND ").count() < 12);
        assert!(words("a_bc/d").is_none() && words("/tmp").is_some() && words("äöü").is_none());
    }
}
