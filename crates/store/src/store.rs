// SPDX-License-Identifier: Apache-2.0
//! The store itself: opened, brought to the newest schema, closed.

use crate::alarms::facets::Marks;
use crate::db::conn::Pools;
use crate::db::migrate::{self, Migrated};
use crate::db::open::{self, Options};
use crate::db::sql::sql;
use crate::error::{Result, StoreError};
use crate::ingest::writer::Writer;
use crate::live::feed::Feed;
use crate::{ChangeKind, NewAudit, ProjectRow, Scope};
use std::sync::{Arc, Mutex};

/// What a server keeps. Cheap to clone; the clones are one.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    pub(crate) feed: Arc<Feed>,
    pub(crate) writer: Writer,
    pub(crate) marks: Arc<Marks>,
    /// What the next write is to leave in the record: see `audited`.
    pub(crate) audit: Option<Arc<Mutex<Vec<NewAudit>>>>,
}

/// What tells one server's data from another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Made with the database, never changed.
    pub installation: String,
    /// Another one means that hosts must tell again what this server lost.
    pub incarnation: String,
    /// When it was made.
    pub created_ms: i64,
}

impl Store {
    /// Opens what `url` names: the path of a SQLite file (made if it is not there), `sqlite:path`, or
    /// `postgres://...`. Does not migrate.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be reached, `Other` when the address makes no sense.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, Options::default()).await
    }

    /// The same, with other limits.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_with(url: &str, options: Options) -> Result<Self> {
        let pools = open::open(url, &options).await?;
        let feed = Feed::start(pools.clone(), options.change_delay);
        let marks = Arc::new(Marks::new());
        let writer = Writer::start(pools.clone(), marks.clone(), options.batch);
        Ok(Self { pools, feed, writer, marks, audit: None })
    }

    /// Brings the database to this program's schema; does nothing when it is there.
    ///
    /// # Errors
    /// `Corrupt` when the database is newer than the program, and says that this one cannot work with it.
    pub async fn migrate(&self) -> Result<Migrated> {
        migrate::migrate(&self.pools).await
    }

    /// The schema that the database has; 0 when it is empty.
    ///
    /// # Errors
    /// `Corrupt` when it is newer than the program, and says that this one cannot work with it.
    pub async fn schema(&self) -> Result<i64> {
        migrate::check(&self.pools).await
    }

    /// Whether several processes can share it.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.pools.is_postgres()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ping(&self) -> Result<()> {
        self.pools.one(sql("SELECT count(*) FROM meta")).await?;
        Ok(())
    }

    /// Writes what waits to be told, then lets go of the database.
    pub async fn close(&self) {
        self.writer.close().await;
        self.feed.close().await;
        self.pools.close().await;
    }

    /// Who this data is.
    ///
    /// # Errors
    /// `Corrupt` when it was never migrated.
    pub async fn meta(&self) -> Result<Meta> {
        let value = async |name: &str| {
            self.setting(name).await?.ok_or_else(|| {
                StoreError::Corrupt(format!("the database has no {name}: run `lazaret-server migrate`"))
            })
        };
        Ok(Meta {
            installation: value("installation").await?,
            incarnation: value("incarnation").await?,
            created_ms: value("created_ms").await?.parse().unwrap_or(0),
        })
    }

    /// Tells hosts, with their next hello, that this data is not what they spoke to.
    ///
    /// # Errors
    /// Of the database.
    pub async fn bump_incarnation(&self) -> Result<String> {
        let new = uuid::Uuid::now_v7().to_string();
        self.set_setting("incarnation", &new).await?;
        Ok(new)
    }

    /// A small value of the whole server.
    ///
    /// # Errors
    /// Of the database.
    pub async fn setting(&self, key: &str) -> Result<Option<String>> {
        let row = self.pools.one(sql("SELECT value FROM meta WHERE name = $1").bind(key)).await?;
        row.map(|r| r.fields().text()).transpose()
    }

    /// Sets one.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_setting(&self, key: &str, value: &str) -> Result<()> {
        self.write(
            sql("INSERT INTO meta (name, value) VALUES ($1, $2) \
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(key)
            .bind(value),
        )
        .await?;
        Ok(())
    }

    /// Makes an enterprise project.
    ///
    /// # Errors
    /// `Conflict` when its name or id is taken.
    pub async fn create_project(&self, project: &ProjectRow) -> Result<()> {
        self.write(
            sql("INSERT INTO projects (id, name, created_ms) VALUES ($1, $2, $3)")
                .bind(&project.id)
                .bind(&project.name)
                .bind(project.created_ms),
        )
        .await
        .map_err(|e| e.taken(|| format!("a project {:?} exists already: take another name", project.name)))?;
        Ok(())
    }

    /// Those that the caller may see, by name.
    ///
    /// # Errors
    /// Of the database.
    pub async fn projects(&self, scope: &Scope) -> Result<Vec<ProjectRow>> {
        let mut filter = crate::db::sql::Filter::new();
        filter.scope("id", scope);
        let mut select = filter.select("id, name, created_ms", "projects");
        select.push(" ORDER BY name");
        self.pools.all(select).await?.iter().map(read_project).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn project(&self, id: &str) -> Result<ProjectRow> {
        let row =
            self.pools.one(sql("SELECT id, name, created_ms FROM projects WHERE id = $1").bind(id)).await?;
        read_project(&row.ok_or_else(|| StoreError::missing("project", id))?)
    }

    /// Tells live streams that something changed; the store's own writes do it by themselves.
    pub fn note_change(&self, project: &str, kind: ChangeKind, id: &str) {
        self.feed.note(project, kind, id);
    }
}

fn read_project(row: &crate::db::value::Row) -> Result<ProjectRow> {
    let mut f = row.fields();
    Ok(ProjectRow { id: f.text()?, name: f.text()?, created_ms: f.int()? })
}
