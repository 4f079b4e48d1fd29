// SPDX-License-Identifier: Apache-2.0
//! The two pools behind one face.

use super::sql::Sql;
use super::value::{Row, Value};
use crate::error::Result;
use sqlx::{AssertSqlSafe, Postgres, Sqlite, SqlitePool, Transaction, postgres::PgPool};

/// IMMEDIATE: a lock that is taken later could not be waited for.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// Where the data is.
#[derive(Debug, Clone)]
pub(crate) enum Pools {
    /// One connection writes, others read (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction; dropped without `commit` it is undone.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

macro_rules! query {
    ($database:ty, $statement:expr) => {{
        let statement = $statement;
        let mut q = sqlx::query::<$database>(AssertSqlSafe(statement.text));
        for value in statement.args {
            q = match value {
                Value::Int(v) => q.bind(v),
                Value::Flag(v) => q.bind(v),
                Value::Text(v) => q.bind(v),
                Value::MaybeText(v) => q.bind(v),
                Value::Bytes(v) => q.bind(v),
            };
        }
        q
    }};
}

impl Pools {
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Rows of a statement that only reads.
    pub(crate) async fn all(&self, statement: Sql) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Sqlite { readers, .. } => {
                query!(Sqlite, statement).fetch_all(readers).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(p) => {
                query!(Postgres, statement).fetch_all(p).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// At most one row of a statement that only reads.
    pub(crate) async fn one(&self, statement: Sql) -> Result<Option<Row>> {
        Ok(match self {
            Self::Sqlite { readers, .. } => {
                query!(Sqlite, statement).fetch_optional(readers).await?.map(Row::Sqlite)
            }
            Self::Postgres(p) => query!(Postgres, statement).fetch_optional(p).await?.map(Row::Postgres),
        })
    }

    /// A write in a transaction of its own; how many rows it concerned.
    pub(crate) async fn run(&self, statement: Sql) -> Result<u64> {
        Ok(match self {
            Self::Sqlite { writer, .. } => query!(Sqlite, statement).execute(writer).await?.rows_affected(),
            Self::Postgres(p) => query!(Postgres, statement).execute(p).await?.rows_affected(),
        })
    }

    /// A write with `RETURNING`, in a transaction of its own.
    pub(crate) async fn run_all(&self, statement: Sql) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Sqlite { writer, .. } => {
                query!(Sqlite, statement).fetch_all(writer).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(p) => {
                query!(Postgres, statement).fetch_all(p).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(match writer.begin_with(BEGIN).await {
                // SQLite itself undid the transaction before (a full disk), and the one connection that
                // writes counts it still: it would never begin another.
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    writer.acquire().await?.close().await?;
                    writer.begin_with(BEGIN).await?
                }
                begun => begun?,
            }),
            Self::Postgres(p) => Tx::Postgres(p.begin().await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(p) => p.close().await,
        }
    }
}

impl Tx {
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    pub(crate) async fn all(&mut self, statement: Sql) -> Result<Vec<Row>> {
        Ok(match self {
            Self::Sqlite(t) => {
                query!(Sqlite, statement).fetch_all(&mut **t).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(t) => query!(Postgres, statement)
                .fetch_all(&mut **t)
                .await?
                .into_iter()
                .map(Row::Postgres)
                .collect(),
        })
    }

    pub(crate) async fn one(&mut self, statement: Sql) -> Result<Option<Row>> {
        Ok(match self {
            Self::Sqlite(t) => query!(Sqlite, statement).fetch_optional(&mut **t).await?.map(Row::Sqlite),
            Self::Postgres(t) => {
                query!(Postgres, statement).fetch_optional(&mut **t).await?.map(Row::Postgres)
            }
        })
    }

    pub(crate) async fn run(&mut self, statement: Sql) -> Result<u64> {
        Ok(match self {
            Self::Sqlite(t) => query!(Sqlite, statement).execute(&mut **t).await?.rows_affected(),
            Self::Postgres(t) => query!(Postgres, statement).execute(&mut **t).await?.rows_affected(),
        })
    }

    /// Several statements without parameters, as a schema file has them.
    pub(crate) async fn script(&mut self, text: &str) -> Result<()> {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(t) => sqlx::raw_sql(text).execute(&mut **t).await.map(|_| ())?,
            Self::Postgres(t) => sqlx::raw_sql(text).execute(&mut **t).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Nobody else who asks for the same number goes on before this transaction ends. SQLite has one
    /// writer anyway.
    pub(crate) async fn lock(&mut self, number: i64) -> Result<()> {
        if self.is_postgres() {
            self.all(super::sql::sql("SELECT 1::BIGINT FROM pg_advisory_xact_lock($1)").bind(number)).await?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(t) => t.commit().await?,
            Self::Postgres(t) => t.commit().await?,
        }
        Ok(())
    }
}
