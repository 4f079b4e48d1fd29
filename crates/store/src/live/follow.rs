// SPDX-License-Identifier: Apache-2.0
//! Changes that other processes wrote, and the asking for what is behind a number.

use super::feed::{CHANNEL, Feed};
use crate::db::conn::Pools;
use crate::db::sql::sql;
use crate::error::{Result, StoreError};
use crate::{Change, ChangeKind, Changes, Store};
use sqlx::postgres::PgListener;
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::watch;

/// A notification may be lost with its connection: asked anew that often all the same.
const POLL: Duration = Duration::from_secs(2);

impl ChangeKind {
    const ALL: [Self; 8] = [
        Self::Alarm,
        Self::Isolated,
        Self::Host,
        Self::Command,
        Self::Scan,
        Self::Desired,
        Self::File,
        Self::Verdict,
    ];

    /// As it is stored.
    pub(crate) fn number(self) -> i64 {
        Self::ALL.iter().position(|k| *k == self).map_or(0, |p| i64::try_from(p).unwrap_or(0))
    }

    fn from_number(number: i64) -> Result<Self> {
        usize::try_from(number).ok().and_then(|n| Self::ALL.get(n).copied()).ok_or_else(|| {
            StoreError::Corrupt(format!(
                "a change of the unknown kind {number} is stored: was it a newer program?"
            ))
        })
    }
}

impl Store {
    /// What changed behind a number; -1 only asks for the newest number.
    ///
    /// # Errors
    /// Of the database.
    pub async fn changes_since(&self, seq: i64, limit: u32) -> Result<Changes> {
        let (oldest, newest) = bounds(&self.pools).await?;
        if seq < 0 || seq == newest {
            return Ok(Changes { seq: newest, ..Changes::default() });
        }
        // Behind the newest: this database was restored since.
        if seq + 1 < oldest || seq > newest {
            return Ok(Changes { seq: newest, items: Vec::new(), missed: true });
        }
        let select =
            sql("SELECT seq, project, kind, id FROM change_log WHERE seq > $1 ORDER BY seq LIMIT $2")
                .bind(seq)
                .bind(limit);
        let mut items = Vec::new();
        for row in self.pools.all(select).await? {
            let mut f = row.fields();
            items.push(Change {
                seq: f.int()?,
                project: f.text()?,
                kind: ChangeKind::from_number(f.int()?)?,
                id: f.text()?,
            });
        }
        Ok(Changes { seq: items.last().map_or(newest, |c| c.seq), items, missed: false })
    }

    /// Wakes whoever waits for changes: with SQLite those of this process, with PostgreSQL all.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<i64> {
        self.feed.subscribe()
    }
}

/// Oldest and newest number that are stored; (0, 0) without any.
async fn bounds(pools: &Pools) -> Result<(i64, i64)> {
    match pools.one(sql("SELECT COALESCE(min(seq), 0), COALESCE(max(seq), 0) FROM change_log")).await? {
        Some(row) => {
            let mut f = row.fields();
            Ok((f.int()?, f.int()?))
        }
        None => Ok((0, 0)),
    }
}

/// Keeps a feed's number up with the database.
pub(super) async fn newest(feed: Weak<Feed>, pools: Pools) {
    let mut listener = None;
    loop {
        if let Ok((_, seq)) = bounds(&pools).await
            && let Some(feed) = feed.upgrade()
        {
            feed.seen(seq);
        }
        match &pools {
            Pools::Postgres(pool) => {
                if listener.is_none() {
                    listener = connect(pool).await;
                }
                match &mut listener {
                    Some(open) => match tokio::time::timeout(POLL, open.recv()).await {
                        Ok(Ok(told)) => {
                            if let (Ok(seq), Some(feed)) = (told.payload().parse(), feed.upgrade()) {
                                feed.seen(seq);
                            }
                        }
                        Ok(Err(_)) => listener = None,
                        Err(_) => {}
                    },
                    None => tokio::time::sleep(POLL).await,
                }
                if pool.is_closed() {
                    return;
                }
            }
            // One process has the file: it tells itself.
            Pools::Sqlite { .. } => return,
        }
        if feed.strong_count() == 0 {
            return;
        }
    }
}

async fn connect(pool: &sqlx::PgPool) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(pool).await.ok()?;
    listener.ignore_pool_close_event(false);
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}
