// SPDX-License-Identifier: Apache-2.0
//! Isolated files one by one and in pages.

use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, Sql};
use crate::db::value::Fields;
use crate::error::{Result, StoreError};
use crate::{COUNT_CAP, Cursor, IsolatedFilter, IsolatedRow, Page, Scope, Store};

pub(crate) const COLUMNS: &str = "id, host, project, path, sha256, size, class, family, confidence, status, reason, alarm, \
     alarm_title, source, isolated_ms, updated_ms, epoch, seq, details";

pub(crate) fn read(f: &mut Fields<'_>) -> Result<IsolatedRow> {
    Ok(IsolatedRow {
        id: f.text()?,
        host: f.text()?,
        project: f.text()?,
        path: f.bytes()?,
        sha256: f.bytes()?,
        size: f.int()?,
        class: f.text()?,
        family: f.text()?,
        confidence: f.int()?,
        status: f.text()?,
        reason: f.text()?,
        alarm: f.text()?,
        alarm_title: f.text()?,
        source: f.text()?,
        isolated_ms: f.int()?,
        updated_ms: f.int()?,
        position: f.position()?,
        details: f.bytes()?,
    })
}

impl Store {
    /// One isolated file.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn isolated(&self, id: &str) -> Result<IsolatedRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, "isolated")).await?;
        read(&mut row.ok_or_else(|| StoreError::missing("isolated file", id))?.fields())
    }

    /// Isolated files, last changed first.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn isolated_page(
        &self,
        scope: &Scope,
        asked: &IsolatedFilter,
        cursor: &Cursor,
    ) -> Result<Page<IsolatedRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        w.exact("host", &asked.host);
        if !asked.host_name.is_empty() || !asked.importance.is_empty() {
            w.host_where("host", |h| {
                h.contains("name_search", &asked.host_name);
                h.exact("importance", &asked.importance);
            });
        }
        w.any("status", asked.statuses.iter());
        if !asked.sha256.is_empty() {
            w.value("sha256 =", &asked.sha256);
        }
        w.contains("search", &asked.path);
        if let Some(ms) = asked.since_ms {
            w.value("updated_ms >=", ms);
        }
        if let Some(ms) = asked.until_ms {
            w.value("updated_ms <", ms);
        }
        w.any("id", asked.ids.iter());
        let order = Order { first: "updated_ms", second: "id", kind: Kind::NewestFirst };
        page(&self.pools, (COLUMNS, "isolated"), &w, &order, cursor, read).await
    }

    /// Those with this content, wherever they are; with any of the statuses, or all.
    ///
    /// # Errors
    /// Of the database.
    pub async fn isolated_by_hash(
        &self,
        scope: &Scope,
        sha256: &[u8],
        statuses: &[String],
    ) -> Result<Vec<IsolatedRow>> {
        let mut w = Filter::new();
        w.value("sha256 =", sha256);
        w.scope("project", scope);
        w.any("status", statuses.iter());
        self.some_isolated(w.select(COLUMNS, "isolated")).await
    }

    /// Those of a host.
    ///
    /// # Errors
    /// Of the database.
    pub async fn isolated_of_host(&self, host: &str) -> Result<Vec<IsolatedRow>> {
        let mut w = Filter::new();
        w.value("host =", host);
        self.some_isolated(w.select(COLUMNS, "isolated")).await
    }

    /// How many there are, by status.
    ///
    /// # Errors
    /// Of the database.
    pub async fn isolated_counts(&self, scope: &Scope) -> Result<Vec<(String, u64)>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        let mut select = w.select("status, count(*)", "isolated");
        select.push(" GROUP BY status ORDER BY status");
        let read = |row: &crate::db::value::Row| {
            let mut f = row.fields();
            Ok((f.text()?, f.count()?))
        };
        self.pools.all(select).await?.iter().map(read).collect()
    }

    async fn some_isolated(&self, mut select: Sql) -> Result<Vec<IsolatedRow>> {
        select.push(" ORDER BY updated_ms DESC, id DESC LIMIT ");
        select.arg(i64::try_from(COUNT_CAP).unwrap_or(i64::MAX));
        self.pools.all(select).await?.iter().map(|r| read(&mut r.fields())).collect()
    }
}
