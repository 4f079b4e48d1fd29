// SPDX-License-Identifier: Apache-2.0
//! From an address to pools.

use super::conn::Pools;
use crate::error::{Result, StoreError};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// How the store treats its database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections to PostgreSQL, and readers of SQLite, at most.
    pub connections: u32,
    /// How long a call waits for a connection before it says `Unavailable`.
    pub acquire_timeout: Duration,
    /// Records that one commit takes at most; several hosts share it.
    pub batch: usize,
    /// How late a change may be told, at most.
    pub change_delay: Duration,
    /// As what PostgreSQL lists us.
    pub application: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connections: 10,
            acquire_timeout: Duration::from_secs(10),
            batch: 2048,
            change_delay: Duration::from_millis(100),
            application: "lazaret-server",
        }
    }
}

/// Opens what the address names; a file is made if it is not there.
pub(crate) async fn open(url: &str, options: &Options) -> Result<Pools> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url, options).await;
    }
    if let Some((scheme, _)) = url.split_once("://")
        && scheme != "sqlite"
    {
        return Err(StoreError::Other(format!(
            "the database address {scheme}://... is of an unknown kind: give postgres://... or the path of a file"
        )));
    }
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or(url);
    if path.is_empty() || path.starts_with(":memory:") {
        return Err(StoreError::Other(
            "the database address names no file: give the path of one, its folder must exist".into(),
        ));
    }
    sqlite(Path::new(path), options).await
}

async fn postgres(url: &str, options: &Options) -> Result<Pools> {
    // The address holds a password: it is in no message.
    let connect = PgConnectOptions::from_str(url)?
        .application_name(options.application)
        .options([
            ("lock_timeout", "10000"),
            ("idle_in_transaction_session_timeout", "60000"),
            ("jit", "off"),
            // A page takes milliseconds; to start workers for it takes more than they save, and makes whole
            // tables look cheap.
            ("max_parallel_workers_per_gather", "0"),
        ])
        .statement_cache_capacity(300);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections.max(3))
        .acquire_timeout(options.acquire_timeout)
        .connect_with(connect)
        .await?;
    Ok(Pools::Postgres(pool))
}

async fn sqlite(path: &Path, options: &Options) -> Result<Pools> {
    // For the owner alone, also while it is empty.
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(|e| {
        StoreError::Unavailable(format!(
            "the database file {} cannot be opened ({e}): correct the path or the rights of its folder",
            path.display()
        ))
    })?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(300)
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864");
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(connect.clone().pragma("cache_size", "-65536"))
        .await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.connections.clamp(2, 8))
        .acquire_timeout(options.acquire_timeout)
        .max_lifetime(None)
        .connect_with(connect.pragma("cache_size", "-32768").pragma("query_only", "ON"))
        .await?;
    Ok(Pools::Sqlite { writer, readers })
}
