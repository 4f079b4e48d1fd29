// SPDX-License-Identifier: Apache-2.0
//! The schema: numbered files, each applied once, all in one transaction.

use super::conn::Pools;
use super::sql::sql;
use crate::DEFAULT_PROJECT;
use crate::error::{Result, StoreError};

/// From 1 on; a file that was released is never changed.
const SQLITE: &[&str] = &[include_str!("../../migrations/sqlite/0001.sql")];
const POSTGRES: &[&str] = &[include_str!("../../migrations/postgres/0001.sql")];

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
    i64::try_from(SQLITE.len()).unwrap_or(i64::MAX)
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

/// Brings it to the newest; at once or not at all.
pub(crate) async fn migrate(pools: &Pools) -> Result<Migrated> {
    let mut tx = pools.begin().await?;
    tx.lock(LOCK).await?;
    tx.run(sql("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)")).await?;
    let from = match tx.one(sql("SELECT COALESCE(max(version), 0) FROM schema_version")).await? {
        Some(row) => row.fields().int()?,
        None => 0,
    };
    refuse_newer(from)?;
    let steps = if tx.is_postgres() { POSTGRES } else { SQLITE };
    for (version, text) in (1_i64..).zip(steps) {
        if version > from {
            tx.script(text).await?;
            tx.run(sql("INSERT INTO schema_version (version) VALUES ($1)").bind(version)).await?;
        }
    }
    let to = newest();
    if from == 0 {
        begin_data(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(Migrated { from, to })
}

/// A program that is older than the data would not know what it breaks.
pub(crate) fn refuse_newer(version: i64) -> Result<()> {
    let to = newest();
    if version > to {
        return Err(StoreError::Corrupt(format!(
            "the database has schema {version}, this program knows {to}: start the newer program, \
             or restore a backup from before the upgrade"
        )));
    }
    Ok(())
}

async fn begin_data(tx: &mut super::conn::Tx) -> Result<()> {
    let now_ms = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(0));
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
