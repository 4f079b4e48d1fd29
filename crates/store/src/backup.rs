// SPDX-License-Identifier: Apache-2.0
//! The whole data out, and back in. SQLite: a copy of the file that the database itself makes while others
//! write. PostgreSQL: every table by COPY from one snapshot, and back in one transaction (docs/adr/0012 says
//! why not pg_dump).

use crate::alarms::days;
use crate::db::conn::{Pools, Tx};
use crate::db::migrate;
use crate::db::sql::{Sql, sql};
use crate::error::{Result, StoreError};
use crate::{Meta, Store};
use futures_util::StreamExt as _;
use std::io::{self, Read};
use std::path::Path;

/// Days back for which data that is put back gets partitions of its own.
const DAYS_BACK: i64 = 40;
/// Tells live streams what changed: of no use to another life.
const LEFT_OUT: [&str; 1] = ["change_log"];
const BUFFER: usize = 256 << 10;
/// Tries to take the tables away from who reads them.
const ATTEMPTS: u32 = 5;

/// Takes tables one after the other.
pub trait TableSink: Send {
    /// A table begins.
    ///
    /// # Errors
    /// It cannot be written.
    fn begin(&mut self, table: &str, columns: &[String]) -> io::Result<()>;
    /// More of it.
    ///
    /// # Errors
    /// It cannot be written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// It is whole.
    ///
    /// # Errors
    /// It cannot be written.
    fn end(&mut self) -> io::Result<()>;
}

/// A table as a [`TableSink`] got it.
pub struct TableSource {
    /// Its name.
    pub table: String,
    /// In the order of its lines.
    pub columns: Vec<String>,
    /// The lines.
    pub lines: Box<dyn Read + Send>,
}

impl std::fmt::Debug for TableSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TableSource({})", self.table)
    }
}

fn other(what: &str, e: &impl std::fmt::Display) -> StoreError {
    StoreError::Other(format!("{what}: {e}"))
}

impl Store {
    /// Copies a SQLite database, as it is at one moment, while others write to it.
    ///
    /// # Errors
    /// The file is there already or cannot be written; or this is PostgreSQL.
    pub async fn copy_file(&self, to: &Path) -> Result<()> {
        let Pools::Sqlite { writer, .. } = &self.pools else {
            return Err(StoreError::Other("PostgreSQL has no file of ours to copy".to_owned()));
        };
        let to = to.to_str().ok_or_else(|| StoreError::Other(format!("{}: not UTF-8", to.display())))?;
        sqlx::query("VACUUM INTO ?1").bind(to).execute(writer).await?;
        Ok(())
    }

    /// Looks through a whole SQLite database for damage; nothing on PostgreSQL.
    ///
    /// # Errors
    /// `Corrupt` with what was found first.
    pub async fn check_integrity(&self) -> Result<()> {
        if self.is_postgres() {
            return Ok(());
        }
        let row = self.pools.one(sql("PRAGMA integrity_check(1)")).await?;
        let said = row.map_or_else(|| Ok(String::new()), |r| r.fields().text())?;
        if said != "ok" {
            return Err(StoreError::Corrupt(format!("the database is damaged: {said}")));
        }
        Ok(())
    }

    /// Gives every table of a PostgreSQL database, all of one moment.
    ///
    /// # Errors
    /// Of the database or the sink.
    pub async fn copy_out(&self, sink: &mut dyn TableSink) -> Result<()> {
        let Pools::Postgres(pool) = &self.pools else {
            return Err(StoreError::Other("SQLite is copied as a file".to_owned()));
        };
        let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        for table in migrate::tables() {
            if LEFT_OUT.contains(&table) {
                continue;
            }
            let rows: Vec<(String,)> = sqlx::query_as(
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER' \
                 ORDER BY ordinal_position",
            )
            .bind(table)
            .fetch_all(&mut *tx)
            .await?;
            if rows.is_empty() {
                // Of a newer schema than this database has.
                continue;
            }
            let columns: Vec<String> = rows.into_iter().map(|r| r.0).collect();
            sink.begin(table, &columns).map_err(|e| other(table, &e))?;
            // A table in partitions gives its rows only to a query.
            let copy = format!("COPY (SELECT {} FROM {table}) TO STDOUT", columns.join(", "));
            let mut lines = tx.copy_out_raw(&copy).await?;
            while let Some(bytes) = lines.next().await {
                sink.write(&bytes?).map_err(|e| other(table, &e))?;
            }
            drop(lines);
            sink.end().map_err(|e| other(table, &e))?;
        }
        tx.rollback().await?;
        Ok(())
    }

    /// Puts tables into a PostgreSQL database, in one transaction: all or nothing. The schema becomes the
    /// one that they had; [`Store::migrate`] goes on from there.
    ///
    /// # Errors
    /// `Conflict` when there is data of ours and it is not to be replaced; of the database; a table that
    /// the schema does not have.
    pub async fn copy_in(&self, schema: i64, tables: Vec<TableSource>, replace: bool) -> Result<()> {
        if !self.is_postgres() {
            return Err(StoreError::Other("SQLite is put back as a file".to_owned()));
        }
        let mut tx = self.room(replace).await?;
        migrate::bare(&mut tx, schema).await?;
        let now_ms = migrate::now_ms();
        days::prepare_from(&mut tx, now_ms / 86_400_000 - DAYS_BACK, now_ms).await?;
        let known = migrate::tables();
        for source in tables {
            if !known.contains(&source.table.as_str()) || !source.columns.iter().all(|c| is_name(c)) {
                return Err(StoreError::Other(format!(
                    "the backup has a table {:?} that schema {schema} has not",
                    source.table
                )));
            }
            put(&mut tx, source).await?;
        }
        number_on(&mut tx).await?;
        tx.commit().await
    }

    /// A transaction in which no table of ours stands any more.
    async fn room(&self, replace: bool) -> Result<Tx> {
        let mut attempt = 0;
        loop {
            let mut tx = self.begin().await?;
            if migrate::version(&self.pools).await? == 0 {
                return Ok(tx);
            }
            if !replace {
                return Err(StoreError::Conflict("the database holds a server's data already".to_owned()));
            }
            let mut names = migrate::tables();
            names.push("schema_version");
            match tx.script(&format!("DROP TABLE IF EXISTS {} CASCADE", names.join(", "))).await {
                Ok(()) => return Ok(tx),
                // Who reads meanwhile may hold one table and wait for another. Nothing of the backup was read yet.
                Err(e) if e.is_retryable() && attempt < ATTEMPTS => attempt += 1,
                Err(e) => return Err(e),
            }
        }
    }

    /// This data begins another life: hosts tell again what it does not know, and packs are built anew
    /// with numbers above those that hosts have.
    ///
    /// # Errors
    /// Of the database.
    pub async fn begin_new_life(&self) -> Result<Meta> {
        self.bump_incarnation().await?;
        // Whoever was connected is connected to another life.
        self.pools.run(sql("UPDATE hosts SET gateway = '', run = ''")).await?;
        self.pools.run(sql("DELETE FROM content_packs")).await?;
        self.meta().await
    }

    /// Connections of servers to this PostgreSQL database, if [`crate::Options::application`] is another name
    /// than theirs; 0 on SQLite.
    ///
    /// # Errors
    /// Of the database.
    pub async fn other_servers(&self) -> Result<u64> {
        if !self.is_postgres() {
            return Ok(0);
        }
        let all = sql("SELECT count(*) FROM pg_stat_activity \
             WHERE application_name = 'lazaret-server' AND datname = current_database()");
        match self.pools.one(all).await? {
            Some(row) => row.fields().count(),
            None => Ok(0),
        }
    }

    /// How many rows each table has, by name; what cannot be counted is left out.
    ///
    /// # Errors
    /// Of the database.
    pub async fn row_counts(&self) -> Result<Vec<(String, u64)>> {
        let mut counts = Vec::new();
        for table in migrate::tables() {
            let count = Sql::built(format!("SELECT count(*) FROM {table}"));
            if let Ok(Some(row)) = self.pools.one(count).await {
                counts.push((table.to_owned(), row.fields().count()?));
            }
        }
        Ok(counts)
    }
}

/// Letters that need no quotes.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

async fn put(tx: &mut Tx, mut source: TableSource) -> Result<()> {
    // A new schema is not quite empty.
    tx.run(Sql::built(format!("DELETE FROM {}", source.table))).await?;
    let Tx::Postgres(t) = tx else { return Ok(()) };
    let copy = format!("COPY {} ({}) FROM STDIN", source.table, source.columns.join(", "));
    let mut lines = t.copy_in_raw(&copy).await?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match source.lines.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                lines.send(buffer.get(..n).unwrap_or_default()).await?;
            }
            Err(e) => {
                lines.abort("the backup cannot be read").await.ok();
                return Err(other(&source.table, &e));
            }
        }
    }
    lines.finish().await?;
    Ok(())
}

/// Numbers that the database gives go on behind those that are there.
async fn number_on(tx: &mut Tx) -> Result<()> {
    let select =
        sql("SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns \
         WHERE table_schema = current_schema() AND is_identity = 'YES'");
    for row in tx.all(select).await? {
        let mut f = row.fields();
        let (table, column) = (f.text()?, f.text()?);
        if !is_name(&table) || !is_name(&column) {
            continue;
        }
        tx.script(&format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), \
             (SELECT COALESCE(max({column}), 0) + 1 FROM {table}), false)"
        ))
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_need_no_quotes() {
        assert!(is_name("at_ms") && is_name("a1"));
        for bad in ["", "a b", "a;drop", "A", "a\"", &"x".repeat(64)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
