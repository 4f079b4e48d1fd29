// SPDX-License-Identifier: Apache-2.0
//! From what arrived to what is told, in one order for all readers.

use crate::db::bulk::Bulk;
use crate::db::sql::{Filter, sql};
use crate::db::value::Fields;
use crate::error::Result;
use crate::{Arrived, NoticeRow, Store, Told};

/// Writers of notices take turns, so that numbers become visible in order.
const LOCK: i64 = 0x6c61_7a61_7265_7407;

const COLUMNS: &str = "seq, project, host, kind, about, word, at_ms, noted_ms, severity, class, test, detail";

fn read(f: &mut Fields<'_>) -> Result<NoticeRow> {
    Ok(NoticeRow {
        seq: f.int()?,
        project: f.text()?,
        host: f.text()?,
        kind: f.text()?,
        about: f.text()?,
        word: f.text()?,
        at_ms: f.int()?,
        noted_ms: f.int()?,
        severity: f.int()?,
        class: f.text()?,
        test: f.flag()?,
        detail: f.text()?,
    })
}

impl Store {
    /// What came and was not looked at, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn arrivals(&self, limit: u32) -> Result<Vec<Arrived>> {
        let select = sql("SELECT seq, kind, id FROM arrivals ORDER BY seq LIMIT $1").bind(limit);
        let read = |row: &crate::db::value::Row| {
            let mut f = row.fields();
            Ok(Arrived { seq: f.int()?, kind: f.text()?, id: f.text()? })
        };
        self.pools.all(select).await?.iter().map(read).collect()
    }

    /// What was told of these.
    ///
    /// # Errors
    /// Of the database.
    pub async fn told(&self, kind: &str, ids: &[String]) -> Result<Vec<Told>> {
        let mut found = Vec::new();
        for part in ids.chunks(500) {
            let mut w = Filter::new();
            w.value("kind =", kind);
            w.any("id", part.iter());
            for row in self.pools.all(w.select("kind, id, state, at_ms", "told")).await? {
                let mut f = row.fields();
                found.push(Told { kind: f.text()?, id: f.text()?, state: f.text()?, at_ms: f.int()? });
            }
        }
        Ok(found)
    }

    /// Puts notices in the place of arrivals, at once. False when another process was faster with one of
    /// them: then nothing was done.
    ///
    /// # Errors
    /// Of the database.
    pub async fn put_notices(&self, taken: &[i64], told: &[Told], notices: &[NoticeRow]) -> Result<bool> {
        let mut tx = self.begin().await?;
        tx.lock(LOCK).await?;
        let mut gone = 0;
        for part in taken.chunks(500) {
            let mut delete = sql("DELETE FROM arrivals WHERE seq IN ");
            delete.list(part.iter().copied());
            gone += tx.run(delete).await?;
        }
        if gone != taken.len() as u64 {
            return Ok(false);
        }
        let rows = told
            .iter()
            .map(|t| vec![(&t.kind).into(), (&t.id).into(), (&t.state).into(), t.at_ms.into()])
            .collect();
        Bulk {
            head: "INSERT INTO told (kind, id, state, at_ms)",
            tail: "ON CONFLICT (kind, id) DO UPDATE SET state = excluded.state, at_ms = excluded.at_ms",
        }
        .run(&mut tx, rows)
        .await?;
        let rows = notices
            .iter()
            .map(|n| {
                vec![
                    (&n.project).into(),
                    (&n.host).into(),
                    (&n.kind).into(),
                    (&n.about).into(),
                    (&n.word).into(),
                    n.at_ms.into(),
                    n.noted_ms.into(),
                    n.severity.into(),
                    (&n.class).into(),
                    n.test.into(),
                    (&n.detail).into(),
                ]
            })
            .collect();
        Bulk {
            head: "INSERT INTO notices (project, host, kind, about, word, at_ms, noted_ms, severity, class, test, \
                   detail)",
            tail: "",
        }
        .run(&mut tx, rows)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Notices behind a number up to another, of one project or (empty) of all, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn notices(&self, project: &str, after: i64, to: i64, limit: u32) -> Result<Vec<NoticeRow>> {
        let mut w = Filter::new();
        w.value("seq >", after);
        w.value("seq <=", to);
        w.exact("project", project);
        let mut select = w.select(COLUMNS, "notices");
        select.push(" ORDER BY seq LIMIT ");
        select.arg(limit);
        self.pools.all(select).await?.iter().map(|r| read(&mut r.fields())).collect()
    }

    /// Number of the newest notice, 0 without any; and of the oldest that is kept.
    ///
    /// # Errors
    /// Of the database.
    pub async fn notice_bounds(&self) -> Result<(i64, i64)> {
        let select = sql("SELECT COALESCE(min(seq), 0), COALESCE(max(seq), 0) FROM notices");
        match self.pools.one(select).await? {
            Some(row) => {
                let mut f = row.fields();
                Ok((f.int()?, f.int()?))
            }
            None => Ok((0, 0)),
        }
    }

    /// Drops notices that every target has behind it, and those noted before `before_ms`, at most `limit`;
    /// the newest stays, so that its number is known. What was told before that is forgotten too.
    ///
    /// # Errors
    /// Of the database.
    pub async fn drop_notices(&self, before_ms: i64, told_before_ms: i64, limit: u32) -> Result<u64> {
        let mut tx = self.begin().await?;
        tx.lock(LOCK).await?;
        // Who has not taken them by now misses them, and is told how many.
        tx.run(
            sql("UPDATE target_states SET missed = missed + (SELECT count(*) FROM notices, targets WHERE \
                 targets.id = target_states.target AND notices.noted_ms < $1 AND notices.seq > target_states.cursor_seq \
                 AND (targets.project = '' OR targets.project = notices.project)), \
                 cursor_seq = (SELECT max(seq) FROM notices WHERE noted_ms < $1) \
                 WHERE cursor_seq < COALESCE((SELECT max(seq) FROM notices WHERE noted_ms < $1), 0)")
            .bind(before_ms),
        )
        .await?;
        let dropped = tx
            .run(
                sql("DELETE FROM notices WHERE seq IN (SELECT seq FROM notices WHERE \
                     seq < (SELECT max(seq) FROM notices) AND seq <= \
                     COALESCE((SELECT min(cursor_seq) FROM target_states), (SELECT max(seq) FROM notices)) \
                     ORDER BY seq LIMIT $1)")
                .bind(limit),
            )
            .await?;
        tx.commit().await?;
        self.pools.run(sql("DELETE FROM told WHERE at_ms < $1").bind(told_before_ms)).await?;
        Ok(dropped)
    }
}
