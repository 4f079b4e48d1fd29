// SPDX-License-Identifier: Apache-2.0
//! What is forgotten, and when. An alarm never goes before the file that it speaks of.

use crate::error::While as _;
use crate::{Database, StateError};
use lazaret_model::IsolatedId;
use rusqlite::{Transaction, params};
use std::collections::HashSet;

/// How long alarms are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Handled alarms go when they were seen last longer ago than this, milliseconds.
    pub keep_ms: i64,
    /// More alarms than this are never kept: then the oldest handled ones go, after them the
    /// oldest of the lowest rating. A flood of alarms must not fill the disk.
    pub at_most: u32,
}

impl Default for Retention {
    /// 90 days, 100,000 alarms.
    fn default() -> Self {
        Self { keep_ms: 90 * 86_400_000, at_most: 100_000 }
    }
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Handled and old.
    pub old: usize,
    /// Over the limit, handled.
    pub over_handled: usize,
    /// Over the limit, though nobody had handled them: the caller says so.
    pub over_unhandled: usize,
}

impl Database {
    /// Forgets alarms by the given rules, except those whose file is still in the vault (`held`).
    ///
    /// # Errors
    /// When SQLite cannot write; nothing is forgotten then.
    pub fn prune(
        &self,
        now_ms: i64,
        retention: Retention,
        held: &HashSet<IsolatedId>,
    ) -> Result<Pruned, StateError> {
        let mut connection = self.lock();
        let tx = connection.transaction().while_to("begin to forget alarms")?;
        let pruned = prune(&tx, now_ms, retention, held).while_to("forget alarms")?;
        tx.commit().while_to("forget alarms")?;
        Ok(pruned)
    }
}

fn prune(
    tx: &Transaction<'_>,
    now_ms: i64,
    retention: Retention,
    held: &HashSet<IsolatedId>,
) -> rusqlite::Result<Pruned> {
    tx.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS held (id TEXT PRIMARY KEY) STRICT; DELETE FROM temp.held;",
    )?;
    {
        let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO temp.held (id) VALUES (?1)")?;
        for id in held {
            insert.execute([id.to_string()])?;
        }
    }
    const FREE: &str = "(isolated IS NULL OR isolated NOT IN (SELECT id FROM temp.held))";
    let mut pruned = Pruned {
        old: tx.execute(
            &format!("DELETE FROM alarms WHERE handled = 1 AND last_ms < ?1 AND {FREE}"),
            params![now_ms.saturating_sub(retention.keep_ms)],
        )?,
        ..Pruned::default()
    };
    let all: i64 = tx.query_row("SELECT count(*) FROM alarms", [], |r| r.get(0))?;
    let over = all.saturating_sub(i64::from(retention.at_most));
    if over > 0 {
        pruned.over_handled = tx.execute(
            &format!(
                "DELETE FROM alarms WHERE id IN (SELECT id FROM alarms WHERE handled = 1 AND {FREE} \
                 ORDER BY last_ms, id LIMIT ?1)"
            ),
            params![over],
        )?;
        let left = over.saturating_sub(i64::try_from(pruned.over_handled).unwrap_or(i64::MAX));
        pruned.over_unhandled = tx.execute(
            &format!(
                "DELETE FROM alarms WHERE id IN (SELECT id FROM alarms WHERE handled = 0 AND {FREE} \
                 ORDER BY coalesce(rating, 3), last_ms, id LIMIT ?1)"
            ),
            params![left],
        )?;
    }
    tx.execute("DELETE FROM temp.held", [])?;
    Ok(pruned)
}
