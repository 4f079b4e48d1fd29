// SPDX-License-Identifier: Apache-2.0
//! Alarms one by one and in pages.

use super::filter::filter;
use super::row::{COLUMNS, FROM, read};
use crate::db::page::{Kind, Order, page};
use crate::db::sql::Filter;
use crate::error::{Result, StoreError};
use crate::{AlarmFilter, AlarmRow, Cursor, Page, Scope, Store};

pub(super) const NEWEST: Order = Order { first: "last_ms", second: "id", kind: Kind::NewestFirst };

impl Store {
    /// One alarm, suppressed or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn alarm(&self, id: &str) -> Result<AlarmRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let row = self.pools.one(w.select(COLUMNS, FROM)).await?;
        read(&mut row.ok_or_else(|| StoreError::missing("alarm", id))?.fields())
    }

    /// Alarms, newest (`last_ms`) first. A page does not move when new ones arrive; an alarm that happens
    /// again moves to the beginning.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn alarms_page(&self, scope: &Scope, asked: &AlarmFilter, cursor: &Cursor) -> Result<Page<AlarmRow>> {
        page(&self.pools, (COLUMNS, FROM), &filter(scope, asked), &NEWEST, cursor, read).await
    }
}
