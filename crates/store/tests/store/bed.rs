// SPDX-License-Identifier: Apache-2.0
//! A store of its own for a story, on either database.

use lazaret_kit::pg::Cluster;
use lazaret_store::{Options, Store};
use std::time::Duration;

/// A migrated store, and what it stands on.
pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) cluster: Option<Cluster>,
    _folder: Option<tempfile::TempDir>,
}

/// Short waits: a story that waits for a database that is gone is not to last.
fn options() -> Options {
    Options {
        acquire_timeout: Duration::from_secs(3),
        change_delay: Duration::from_millis(20),
        ..Options::default()
    }
}

impl Bed {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let url = folder.path().join("lazaret.db").display().to_string();
        Self::on(url, None, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Self {
        let cluster = Cluster::start();
        Self::on(cluster.url(), Some(cluster), None).await
    }

    async fn on(url: String, cluster: Option<Cluster>, folder: Option<tempfile::TempDir>) -> Self {
        let store = Store::open_with(&url, options()).await.expect("open");
        store.migrate().await.expect("migrate");
        Self { store, url, cluster, _folder: folder }
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self) -> Store {
        Store::open_with(&self.url, options()).await.expect("open again")
    }

    /// A statement behind the store's back.
    pub(crate) async fn tamper(&self, statement: &'static str) {
        if self.cluster.is_some() {
            let pool = sqlx::PgPool::connect(&self.url).await.expect("connect");
            sqlx::raw_sql(statement).execute(&pool).await.expect("tamper");
            pool.close().await;
        } else {
            let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", self.url)).await.expect("connect");
            sqlx::raw_sql(statement).execute(&pool).await.expect("tamper");
            pool.close().await;
        }
    }
}

/// Runs a story to its end, at most a minute.
pub(crate) fn run<B, S>(bed: impl FnOnce() -> B, story: impl FnOnce(Bed) -> S)
where
    B: Future<Output = Bed>,
    S: Future<Output = ()>,
{
    run_for(Duration::from_secs(110), bed, story);
}

/// The same, with another limit.
pub(crate) fn run_for<B, S>(limit: Duration, bed: impl FnOnce() -> B, story: impl FnOnce(Bed) -> S)
where
    B: Future<Output = Bed>,
    S: Future<Output = ()>,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let bed = bed().await;
        tokio::time::timeout(limit, story(bed)).await.expect("the story takes too long");
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
}
