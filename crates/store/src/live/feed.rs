// SPDX-License-Identifier: Apache-2.0
//! Changes are gathered for a moment and written in a transaction of their own: never inside that of an
//! ingest, which they would make wait for each other (docs/adr/0008). What a crash loses of them are
//! hints, not data.

use super::follow;
use crate::ChangeKind;
use crate::db::conn::Pools;
use crate::db::sql::{Sql, sql};
use crate::error::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};

/// The channel of LISTEN and NOTIFY.
pub(super) const CHANNEL: &str = "lazaret_changes";
/// Writers of changes take turns, so that numbers become visible in order.
const LOCK: i64 = 0x6c61_7a61_7265_7402;
/// More of one kind in one project at once are told as "many".
const MANY: usize = 100;
/// Older ones are dropped; who comes later looks at everything again.
const KEPT: i64 = 5000;

type Waiting = BTreeMap<(String, ChangeKind), BTreeSet<String>>;

/// Gathers and writes.
#[derive(Debug)]
pub(crate) struct Feed {
    waiting: Mutex<Waiting>,
    wake: Notify,
    newest: watch::Sender<i64>,
    closing: Mutex<Option<oneshot::Sender<()>>>,
}

impl Feed {
    /// Begins to write; ends when the last owner is gone or it is closed.
    pub(crate) fn start(pools: Pools, delay: Duration) -> Arc<Self> {
        let feed = Arc::new(Self {
            waiting: Mutex::default(),
            wake: Notify::new(),
            newest: watch::Sender::new(0),
            closing: Mutex::new(None),
        });
        tokio::spawn(follow::newest(Arc::downgrade(&feed), pools.clone()));
        tokio::spawn(write(Arc::downgrade(&feed), pools, delay));
        feed
    }

    /// Something changed.
    pub(crate) fn note(&self, project: &str, kind: ChangeKind, id: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = waiting.entry((project.to_owned(), kind)).or_default();
        if !ids.contains("") {
            ids.insert(id.to_owned());
            if ids.len() > MANY {
                *ids = BTreeSet::from([String::new()]);
            }
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Newest number.
    pub(crate) fn subscribe(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    /// What the database says is newest.
    pub(super) fn seen(&self, seq: i64) {
        self.newest.send_if_modified(|newest| {
            let later = seq > *newest;
            *newest = (*newest).max(seq);
            later
        });
    }

    /// Writes what waits and ends.
    pub(crate) async fn close(&self) {
        let (done, written) = oneshot::channel();
        *self.closing.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        self.wake.notify_one();
        let _ = tokio::time::timeout(Duration::from_secs(5), written).await;
    }

    fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put_back(&self, taken: Waiting) {
        for ((project, kind), ids) in taken {
            for id in ids {
                self.note(&project, kind, &id);
            }
        }
    }
}

async fn write(feed: Weak<Feed>, pools: Pools, delay: Duration) {
    loop {
        let Some(strong) = feed.upgrade() else { return };
        // Woken from time to time, to see whether anybody still owns it.
        let _ = tokio::time::timeout(Duration::from_millis(500), strong.wake.notified()).await;
        let closing = strong.closing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if closing.is_none() {
            drop(strong);
            tokio::time::sleep(delay).await;
        } else {
            drop(strong);
        }
        let Some(strong) = feed.upgrade() else { return };
        let taken = strong.take();
        if !taken.is_empty() {
            match append(&pools, &taken).await {
                Ok(seq) => strong.seen(seq),
                Err(_) if closing.is_none() => {
                    strong.put_back(taken);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(_) => {}
            }
        }
        if let Some(done) = closing {
            let _ = done.send(());
            return;
        }
    }
}

/// One transaction, one NOTIFY.
async fn append(pools: &Pools, taken: &Waiting) -> Result<i64> {
    let rows: Vec<_> =
        taken.iter().flat_map(|((project, kind), ids)| ids.iter().map(move |id| (project, *kind, id))).collect();
    let mut tx = pools.begin().await?;
    tx.lock(LOCK).await?;
    let mut newest = 0;
    for part in rows.chunks(500) {
        let mut insert = Sql::built("INSERT INTO change_log (project, kind, id) VALUES ".into());
        for (n, (project, kind, id)) in part.iter().enumerate() {
            insert.push(if n == 0 { "(" } else { ", (" });
            insert.arg(*project);
            insert.push(", ");
            insert.arg(kind.number());
            insert.push(", ");
            insert.arg(*id);
            insert.push(")");
        }
        insert.push(" RETURNING seq");
        for row in tx.all(insert).await? {
            newest = newest.max(row.fields().int()?);
        }
    }
    tx.run(sql("DELETE FROM change_log WHERE seq <= $1").bind(newest - KEPT)).await?;
    if tx.is_postgres() {
        tx.all(sql("SELECT 1::BIGINT FROM pg_notify($1, $2)").bind(CHANNEL).bind(newest.to_string())).await?;
    }
    tx.commit().await?;
    Ok(newest)
}
