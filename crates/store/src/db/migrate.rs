// SPDX-License-Identifier: Apache-2.0
//! The schema: numbered files, each applied once, all in one transaction.

use super::conn::{Pools, Tx};
use super::sql::sql;
use crate::DEFAULT_PROJECT;
use crate::error::{Result, StoreError};

/// One numbered file for each database.
pub(crate) struct Step {
    sqlite: &'static str,
    postgres: &'static str,
}

/// From 1 on; a file that was released is never changed (docs/adr/0013).
const STEPS: &[Step] = &[Step {
    sqlite: include_str!("../../migrations/sqlite/0001.sql"),
    postgres: include_str!("../../migrations/postgres/0001.sql"),
}];

/// Row of `meta`: the oldest program (by its newest schema) that may still work with the data.
const MIN_READER: &str = "min_reader";
/// How a file that takes something away begins; what follows is its `min_reader`.
const CONTRACT: &str = "-- contract: min_reader ";

/// Two servers that start at once: the second waits, then finds it done.
const LOCK: i64 = 0x6c61_7a61_7265_7401;

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// Before; 0 in an empty database.
    pub from: i64,
    /// Now.
    pub to: i64,
}

/// The schema that this program needs.
pub(crate) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The schema that is there; 0 in an empty database.
pub(crate) async fn version(pools: &Pools) -> Result<i64> {
    let there = if pools.is_postgres() {
        sql("SELECT count(*) FROM information_schema.tables WHERE table_name = 'schema_version' \
             AND table_schema = current_schema()")
    } else {
        sql("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'")
    };
    let known = match pools.one(there).await? {
        Some(row) => row.fields().int()? > 0,
        None => false,
    };
    if !known {
        return Ok(0);
    }
    match pools.one(sql("SELECT COALESCE(max(version), 0) FROM schema_version")).await? {
        Some(row) => row.fields().int(),
        None => Ok(0),
    }
}

/// Brings it to the newest; at once or not at all. A newer schema that this program can work with stays.
pub(crate) async fn migrate(pools: &Pools) -> Result<Migrated> {
    let mut tx = pools.begin().await?;
    tx.lock(LOCK).await?;
    tx.run(sql("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)")).await?;
    let from = match tx.one(sql("SELECT COALESCE(max(version), 0) FROM schema_version")).await? {
        Some(row) => row.fields().int()?,
        None => 0,
    };
    if from > newest() {
        let row = tx.one(sql("SELECT value FROM meta WHERE name = $1").bind(MIN_READER)).await?;
        refuse_newer(from, row.map(|r| r.fields().text()).transpose()?.as_deref())?;
    }
    apply(&mut tx, from, newest()).await?;
    if from == 0 {
        begin_data(&mut tx).await?;
    }
    if from < newest() {
        note_min_reader(&mut tx, newest()).await?;
    }
    crate::alarms::days::prepare(&mut tx, now_ms()).await?;
    tx.commit().await?;
    Ok(Migrated { from, to: newest().max(from) })
}

/// Applies the files behind `from`, up to and with `to`.
pub(crate) async fn apply(tx: &mut Tx, from: i64, to: i64) -> Result<()> {
    for (version, step) in (1_i64..).zip(STEPS) {
        if version > from && version <= to {
            tx.script(if tx.is_postgres() { step.postgres } else { step.sqlite }).await?;
            tx.run(sql("INSERT INTO schema_version (version) VALUES ($1)").bind(version)).await?;
        }
    }
    Ok(())
}

/// An empty schema of a certain version, for data that is put back.
pub(crate) async fn bare(tx: &mut Tx, version: i64) -> Result<()> {
    tx.run(sql("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)")).await?;
    apply(tx, 0, version).await
}

async fn note_min_reader(tx: &mut Tx, version: i64) -> Result<()> {
    let count = usize::try_from(version).unwrap_or(usize::MAX);
    let needed = STEPS.iter().take(count).filter_map(|s| contract(s.postgres)).max().unwrap_or(1);
    tx.run(
        sql("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(MIN_READER)
            .bind(needed.to_string()),
    )
    .await?;
    Ok(())
}

/// The `min_reader` that a file's first line states; `None`: it only adds.
fn contract(text: &str) -> Option<i64> {
    text.lines().find_map(|l| l.strip_prefix(CONTRACT)?.trim().parse().ok())
}

/// Tables in the order in which they are made: what refers to another comes behind it.
pub(crate) fn tables() -> Vec<&'static str> {
    let mut names = Vec::new();
    for line in STEPS.iter().flat_map(|s| s.postgres.lines()) {
        if let Some(rest) = line.strip_prefix("CREATE TABLE ")
            && !line.contains("PARTITION OF")
            && let Some(name) = rest.trim_start_matches("IF NOT EXISTS ").split([' ', '(']).next()
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Whether a program that knows schemas up to `newest()` may work with a newer one. A program that is
/// older than what the data needs would not know what it breaks.
pub(crate) fn refuse_newer(version: i64, min_reader: Option<&str>) -> Result<()> {
    let to = newest();
    // Data that does not say is for its own program only.
    let needed = min_reader.and_then(|m| m.parse().ok()).unwrap_or(version);
    if version > to && needed > to {
        return Err(StoreError::Corrupt(format!(
            "the database has schema {version} and needs a program that knows {needed}, this one knows {to}: start \
             the newer program, or restore a backup from before the upgrade"
        )));
    }
    Ok(())
}

/// The same, asked of the database.
pub(crate) async fn check(pools: &Pools) -> Result<i64> {
    let version = version(pools).await?;
    if version > newest() {
        let row = pools.one(sql("SELECT value FROM meta WHERE name = $1").bind(MIN_READER)).await?;
        refuse_newer(version, row.map(|r| r.fields().text()).transpose()?.as_deref())?;
    }
    Ok(version)
}

pub(crate) fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(0))
}

async fn begin_data(tx: &mut Tx) -> Result<()> {
    let now_ms = now_ms();
    let values = [
        ("installation", uuid::Uuid::now_v7().to_string()),
        ("incarnation", uuid::Uuid::now_v7().to_string()),
        ("created_ms", now_ms.to_string()),
    ];
    for (name, value) in values {
        tx.run(sql("INSERT INTO meta (name, value) VALUES ($1, $2)").bind(name).bind(value)).await?;
    }
    tx.run(
        sql("INSERT INTO projects (id, name, created_ms) VALUES ($1, $2, $3)")
            .bind(DEFAULT_PROJECT)
            .bind("default")
            .bind(now_ms),
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an old program would trip over: only a file that says so may do it.
    fn fault(text: &str) -> Option<String> {
        if contract(text).is_some() {
            return None;
        }
        let upper = text.to_uppercase();
        for word in
            ["DROP TABLE", "DROP COLUMN", " RENAME ", "SET NOT NULL", "ALTER COLUMN", "ADD CONSTRAINT"]
        {
            if upper.contains(word) {
                return Some(word.to_owned());
            }
        }
        let added = upper
            .lines()
            .find(|l| l.contains("ADD COLUMN") && l.contains("NOT NULL") && !l.contains("DEFAULT"));
        added.map(str::to_owned)
    }

    #[test]
    fn files_behind_the_first_only_add_or_say_what_they_need() {
        for step in STEPS.iter().skip(1) {
            for text in [step.sqlite, step.postgres] {
                assert_eq!(fault(text), None);
            }
            assert_eq!(
                contract(step.sqlite),
                contract(step.postgres),
                "both databases need the same program"
            );
        }
        assert!(fault("ALTER TABLE hosts DROP COLUMN os;").is_some());
        assert!(fault("ALTER TABLE hosts RENAME TO machines;").is_some());
        assert!(fault("ALTER TABLE hosts ADD COLUMN region TEXT NOT NULL;").is_some());
        assert!(fault("ALTER TABLE hosts ADD COLUMN region TEXT NOT NULL DEFAULT '';").is_none());
        assert!(fault("-- contract: min_reader 3\nALTER TABLE hosts DROP COLUMN os;").is_none());
        assert_eq!(contract("-- contract: min_reader 3\n"), Some(3));
    }

    #[test]
    fn a_newer_schema_is_refused_only_when_it_says_so() {
        let to = newest();
        assert!(refuse_newer(to, None).is_ok());
        assert!(refuse_newer(to + 1, Some(&to.to_string())).is_ok());
        for needed in [Some((to + 1).to_string()), None, Some("x".to_owned())] {
            assert!(refuse_newer(to + 1, needed.as_deref()).is_err(), "{needed:?}");
        }
    }

    #[test]
    fn tables_stand_behind_what_they_refer_to() {
        let names = tables();
        let place = |n: &str| names.iter().position(|t| *t == n).unwrap();
        assert!(place("projects") < place("policy_groups") && place("policy_groups") < place("host_groups"));
        assert!(place("host_groups") < place("hosts") && names.contains(&"alarms"));
        assert!(!names.iter().any(|n| n.ends_with("_rest")), "partitions go with their table");
    }
}
