// SPDX-License-Identifier: Apache-2.0
//! Entries in pages, for a host, and what they let through.

use super::{COLUMNS, read};
use crate::db::page::{Kind, Order, page};
use crate::db::sql::{Filter, sql};
use crate::error::{Result, StoreError};
use crate::{Cursor, HitRow, Page, Scope, Store, WhitelistFilter, WhitelistRow};

impl Store {
    /// Entries, newest first.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn whitelist_page(
        &self,
        scope: &Scope,
        asked: &WhitelistFilter,
        cursor: &Cursor,
    ) -> Result<Page<WhitelistRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        w.exact("scope", &asked.scope);
        w.exact("scope_id", &asked.scope_id);
        w.exact("field", &asked.field);
        w.exact("class", &asked.class);
        w.exact("alarm", &asked.alarm);
        w.contains("search", &asked.text);
        w.any("id", asked.ids.iter());
        match asked.expired {
            Some((true, now)) => {
                w.and("expires_ms > 0");
                w.value("expires_ms <=", now);
            }
            Some((false, now)) => {
                w.value("(expires_ms = 0 OR expires_ms >", now);
                w.close();
            }
            None => {}
        }
        let order = Order { first: "added_ms", second: "id", kind: Kind::NewestFirst };
        page(&self.pools, (COLUMNS, "whitelist"), &w, &order, cursor, read).await
    }

    /// All entries that hold for a host: those of its project, of its group and its own; by id.
    ///
    /// # Errors
    /// `NotFound` for an unknown host.
    pub async fn whitelist_for_host(&self, host: &str, now_ms: i64) -> Result<Vec<WhitelistRow>> {
        let select = sql("SELECT project, COALESCE(host_group, '') FROM hosts WHERE id = $1").bind(host);
        let row = self.pools.one(select).await?.ok_or_else(|| StoreError::missing("host", host))?;
        let mut f = row.fields();
        let (project, group) = (f.text()?, f.text()?);
        let mut select = sql("");
        select.push(&format!("SELECT {COLUMNS} FROM whitelist WHERE project = "));
        select.arg(project);
        select.push(" AND (expires_ms = 0 OR expires_ms > ");
        select.arg(now_ms);
        select.push(") AND (scope = 'project' OR (scope = 'host' AND scope_id = ");
        select.arg(host);
        select.push(") OR (scope = 'group' AND scope_id <> '' AND scope_id = ");
        select.arg(group);
        select.push(")) ORDER BY id");
        self.pools.all(select).await?.iter().map(|r| read(&mut r.fields())).collect()
    }

    /// What an entry let through, newest first; the last thousand are kept.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn whitelist_hits(&self, entry: &str, cursor: &Cursor) -> Result<Page<HitRow>> {
        let mut w = Filter::new();
        w.value("entry =", entry);
        let order = Order { first: "seq", second: "at_ms", kind: Kind::NumbersDown };
        page(&self.pools, ("entry, host, at_ms, hits, path, sha256", "whitelist_hits"), &w, &order, cursor, |f| {
            Ok(HitRow {
                entry: f.text()?,
                host: f.text()?,
                at_ms: f.int()?,
                count: f.int()?,
                path: f.bytes()?,
                sha256: f.bytes()?,
            })
        })
        .await
    }
}
