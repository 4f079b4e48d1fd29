// SPDX-License-Identifier: Apache-2.0
//! What was done about alarms, and by whom.

use crate::db::conn::Tx;
use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, Sql, sql};
use crate::db::value::Row;
use crate::error::Result;
use crate::outbound;
use crate::{ChangeKind, Cursor, HandlingFilter, HandlingRow, Page, Scope, Store};

impl Store {
    /// Notes that alarms were dealt with; an empty verb: they are open again. Written to the history.
    /// What an agent tells of its own alarm later replaces it.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_handled(
        &self,
        ids: &[String],
        verb: &str,
        who: &str,
        remark: &str,
        now_ms: i64,
    ) -> Result<u64> {
        let mut tx = self.begin().await?;
        let all = handled(&mut tx, ids, verb, who, remark, now_ms).await?;
        self.commit(tx).await?;
        self.note_alarms(&all)
    }

    /// Keeps alarms out of the lists because of a whitelist entry; an empty entry brings them back.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_suppressed(&self, ids: &[String], entry: &str) -> Result<u64> {
        let mut n = 0;
        for part in ids.chunks(500) {
            let mut update =
                sql("UPDATE alarms SET suppressed = $1 WHERE suppressed <> $1 AND id IN ").bind(entry);
            update.list(part);
            update.push(" RETURNING id, project");
            n += self.note_alarms(&self.write_all(update).await?)?;
        }
        Ok(n)
    }

    /// Brings back the alarms that a whitelist entry kept out.
    ///
    /// # Errors
    /// Of the database.
    pub async fn unsuppress(&self, entry: &str) -> Result<u64> {
        let update = sql("UPDATE alarms SET suppressed = '' WHERE suppressed = $1 AND suppressed <> '' \
             RETURNING id, project")
        .bind(entry);
        self.note_alarms(&self.write_all(update).await?)
    }

    /// What was done, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn handlings_page(
        &self,
        scope: &Scope,
        asked: &HandlingFilter,
        cursor: &Cursor,
    ) -> Result<Page<HandlingRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        w.exact("alarm", &asked.alarm);
        w.exact("host", &asked.host);
        w.exact("verb", &asked.verb);
        if let Some(ms) = asked.since_ms {
            w.value("at_ms >=", ms);
        }
        if let Some(ms) = asked.until_ms {
            w.value("at_ms <", ms);
        }
        let order = Order { first: "at_ms", second: "id", kind: Kind::NewestFirst };
        let columns = "alarm, host, project, at_ms, verb, who, remark, title, class, severity";
        page(&self.pools, (columns, "handlings"), &w, &order, cursor, |f| {
            Ok(HandlingRow {
                alarm: f.text()?,
                host: f.text()?,
                project: f.text()?,
                at_ms: f.int()?,
                verb: f.text()?,
                who: f.text()?,
                remark: f.text()?,
                title: f.text()?,
                class: f.text()?,
                severity: f.int()?,
            })
        })
        .await
    }

    pub(crate) fn note_alarms(&self, rows: &[Row]) -> Result<u64> {
        for row in rows {
            let mut f = row.fields();
            let (id, project) = (f.text()?, f.text()?);
            self.note_change(&project, ChangeKind::Alarm, &id);
        }
        Ok(rows.len() as u64)
    }
}

/// The same in a transaction; id and project of each.
pub(crate) async fn handled(
    tx: &mut Tx,
    ids: &[String],
    verb: &str,
    who: &str,
    remark: &str,
    now_ms: i64,
) -> Result<Vec<Row>> {
    let handled = !verb.is_empty();
    let word = if handled { verb } else { "unhandle" };
    let mut all = Vec::new();
    for part in ids.chunks(500) {
        let mut update =
            sql("UPDATE alarms SET handled = $1, handled_by = $2, handled_who = $3, remark = $4, \
             handled_ms = $5 WHERE id IN ")
            .bind(handled)
            .bind(verb)
            .bind(if handled { who } else { "" })
            .bind(remark)
            .bind(if handled { now_ms } else { 0 });
        update.list(part);
        update.push(" RETURNING id, project");
        all.extend(tx.all(update).await?);
        let mut history = sql("INSERT INTO handlings (alarm, at_ms, verb, id, host, project, who, remark, title, \
             class, severity) SELECT id, CAST($1 AS BIGINT), CAST($2 AS TEXT), id || '.' || CAST($2 AS TEXT), \
             host, project, CAST($3 AS TEXT), CAST($4 AS TEXT), title, class, severity FROM alarms WHERE id IN ")
        .bind(now_ms)
        .bind(word)
        .bind(who)
        .bind(remark);
        history.list(part);
        history.push(" ON CONFLICT DO NOTHING");
        tx.run(history).await?;
    }
    outbound::arrive(tx, "alarm", ids.iter().map(String::as_str)).await?;
    Ok(all)
}

/// The statement that gives isolated files the title of their alarm before that goes.
pub(super) fn keep_titles(ids: &[String]) -> Sql {
    let mut update =
        sql("UPDATE isolated SET alarm_title = (SELECT title FROM alarms WHERE alarms.id = isolated.alarm) \
         WHERE alarm_title = '' AND alarm <> '' AND alarm IN ");
    update.list(ids);
    update
}
