// SPDX-License-Identifier: Apache-2.0
//! On which database a test runs: SQLite in its folder, or a database of its own on one PostgreSQL for all
//! tests of the process.

use lazaret_kit::pg::Cluster;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Base {
    Sqlite,
    Postgres,
}

/// One test for each database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(crate::base::Base::Sqlite).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name(crate::base::Base::Postgres).await; })+
        }
    };
}
pub(crate) use on_both;

/// The process's PostgreSQL; ended, and its folder removed, when the last test lets go of it.
pub(crate) struct Shared {
    cluster: Option<Arc<Cluster>>,
    last: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of its own: what it stands on, and its address.
pub(crate) fn database() -> (Arc<Shared>, String) {
    let mut there = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = there.upgrade().unwrap_or_else(|| Arc::new(Shared::start()));
    *there = Arc::downgrade(&shared);
    drop(there);
    let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let url = shared.cluster.as_ref().expect("until it is dropped").create(&name);
    (shared, url)
}

impl Shared {
    /// On a thread that lives as long: PostgreSQL ends with the thread that started it, and tests end theirs.
    fn start() -> Self {
        let (ready, started) = mpsc::channel();
        let (last, ended) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let cluster = Arc::new(Cluster::start());
            if ready.send(Arc::clone(&cluster)).is_ok() {
                // Nothing is ever sent: it ends when the sender goes.
                let _ = ended.recv();
            }
        });
        let cluster = started.recv().expect("a PostgreSQL that starts");
        Self { cluster: Some(cluster), last: Some(last), thread: Some(thread) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.cluster = None;
        self.last = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
