// SPDX-License-Identifier: Apache-2.0
//! Hosts in pages and in numbers.

use super::host::{HOST_COLUMNS, read_host};
use crate::db::page::{Kind, Order, page};
use crate::db::sql::Filter;
use crate::error::Result;
use crate::{Cursor, HostCounts, HostFilter, HostRow, Page, Scope, Store};

const BY_NAME: Order = Order { first: "name", second: "id", kind: Kind::Alphabet };

impl Store {
    /// Hosts by name.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn hosts_page(&self, scope: &Scope, filter: &HostFilter, cursor: &Cursor) -> Result<Page<HostRow>> {
        let mut w = Filter::new();
        w.scope("project", scope);
        if !filter.removed {
            w.and("NOT removed");
        }
        w.contains("search", &filter.text);
        w.exact("status", &filter.status);
        w.exact("host_group", &filter.group);
        w.exact("importance", &filter.importance);
        w.exact("protection", &filter.protection);
        w.any("id", filter.ids.iter());
        page(&self.pools, (HOST_COLUMNS, "hosts"), &w, &BY_NAME, cursor, read_host).await
    }

    /// How many there are of each kind.
    ///
    /// # Errors
    /// Of the database.
    pub async fn host_counts(&self, scope: &Scope) -> Result<HostCounts> {
        let mut w = Filter::new();
        w.scope("project", scope);
        w.and("NOT removed");
        let mut counts = HostCounts::default();
        let mut select = w.select("status, protection, importance, count(*)", "hosts");
        select.push(" GROUP BY status, protection, importance");
        for row in self.pools.all(select).await? {
            let mut f = row.fields();
            let (status, protection, importance, n) = (f.text()?, f.text()?, f.text()?, f.count()?);
            counts.total += n;
            add(&mut counts.status, status, n);
            add(&mut counts.protection, protection, n);
            add(&mut counts.importance, importance, n);
        }
        Ok(counts)
    }
}

/// Adds to the number beside a key; keys in order.
pub(crate) fn add<K: Ord>(counts: &mut Vec<(K, u64)>, key: K, n: u64) {
    match counts.binary_search_by(|(k, _)| k.cmp(&key)) {
        Ok(at) => counts[at].1 += n,
        Err(at) => counts.insert(at, (key, n)),
    }
}
