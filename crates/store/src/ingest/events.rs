// SPDX-License-Identifier: Apache-2.0
//! A host's history.

use crate::db::bulk::Bulk;
use crate::db::conn::Tx;
use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, sql};
use crate::error::Result;
use crate::{Cursor, EventRow, Page, Position, Record, Store, UnreadRow};

/// Host, entry, kind, text, alarm.
type Line<'a> = (&'a str, &'a Record, &'a str, &'a str, &'a str);

/// Host, entry, when it came, bytes.
type Unread<'a> = (&'a str, Position, i64, &'a Vec<u8>);

pub(super) async fn unread(tx: &mut Tx, list: Vec<Unread<'_>>) -> Result<()> {
    let rows = list
        .into_iter()
        .map(|(host, at, received_ms, record)| {
            vec![host.into(), at.epoch.into(), at.seq.into(), received_ms.into(), record.into()]
        })
        .collect();
    Bulk {
        head: "INSERT INTO unread_records (host, epoch, seq, received_ms, record)",
        tail: "ON CONFLICT DO NOTHING",
    }
    .run(tx, rows)
    .await?;
    Ok(())
}

pub(super) async fn lines(tx: &mut Tx, lines: Vec<Line<'_>>) -> Result<()> {
    let rows = lines
        .into_iter()
        .map(|(host, record, kind, text, alarm)| {
            vec![
                host.into(),
                record.at.epoch.into(),
                record.at.seq.into(),
                record.at_ms.into(),
                kind.into(),
                text.into(),
                alarm.into(),
            ]
        })
        .collect();
    Bulk {
        head: "INSERT INTO host_events (host, epoch, seq, at_ms, kind, text, alarm)",
        tail: "ON CONFLICT DO NOTHING",
    }
    .run(tx, rows)
    .await?;
    Ok(())
}

impl Store {
    /// A host's history, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn host_events(&self, host: &str, cursor: &Cursor) -> Result<Page<EventRow>> {
        let mut w = Filter::new();
        w.value("host =", host);
        let order = Order { first: "epoch", second: "seq", kind: Kind::NumbersDown };
        page(
            &self.pools,
            ("host, epoch, seq, at_ms, kind, text, alarm", "host_events"),
            &w,
            &order,
            cursor,
            |f| {
                Ok(EventRow {
                    host: f.text()?,
                    at: f.position()?,
                    at_ms: f.int()?,
                    kind: f.text()?,
                    text: f.text()?,
                    alarm: f.text()?,
                })
            },
        )
        .await
    }

    /// Records of a host that could not be read, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn unread_records(&self, host: &str, limit: u32) -> Result<Vec<UnreadRow>> {
        let select = sql("SELECT host, epoch, seq, received_ms, record FROM unread_records WHERE host = $1 \
             ORDER BY epoch, seq LIMIT $2")
        .bind(host)
        .bind(limit);
        let read = |row: &crate::db::value::Row| {
            let mut f = row.fields();
            Ok(UnreadRow { host: f.text()?, at: f.position()?, received_ms: f.int()?, record: f.bytes()? })
        };
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// Drops lines that are older, at most `limit`; how many it dropped.
    ///
    /// # Errors
    /// Of the database.
    pub async fn delete_events_before(&self, before_ms: i64, limit: u32) -> Result<u64> {
        self.pools.run(sql("DELETE FROM unread_records WHERE received_ms < $1").bind(before_ms)).await?;
        let delete = sql("DELETE FROM host_events WHERE (host, epoch, seq) IN \
             (SELECT host, epoch, seq FROM host_events WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)")
        .bind(before_ms)
        .bind(limit);
        self.pools.run(delete).await
    }
}
