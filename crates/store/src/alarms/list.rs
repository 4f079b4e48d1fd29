// SPDX-License-Identifier: Apache-2.0
//! Alarms one by one and in pages.

use super::filter::{Asked, Part};
use super::keys::{by_text, places};
use super::row::{COLUMNS, read, widen};
use super::way::{self, Plan, SMALL, Way};
use crate::db::page::{Kind, Order, limited};
use crate::db::sql::{Filter, among};
use crate::error::{Result, StoreError};
use crate::{AlarmFilter, AlarmRow, COUNT_CAP, Cursor, Page, Scope, Store};
use std::collections::HashMap;

pub(super) const NEWEST: Order = Order { first: "pos", second: "id", kind: Kind::NewestFirst };

/// A text that no index knows is looked for in so many of the newest at a time ...
const LOOKED_THROUGH: u64 = 10_000;
/// ... until a page is full, and so often for one page.
const LOOKS: usize = 2;

impl Store {
    /// One alarm, suppressed or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn alarm(&self, id: &str) -> Result<AlarmRow> {
        let mut w = Filter::new();
        w.value("id =", id);
        let missing = || StoreError::missing("alarm", id);
        let row = self.pools.one(w.select(COLUMNS, "alarms")).await?.ok_or_else(missing)?;
        let alarm = read(&mut row.fields())?;
        widen(&self.pools, vec![alarm]).await?.pop().ok_or_else(missing)
    }

    /// Alarms, newest (`last_ms`) first. A page does not move when new ones arrive; an alarm that happens
    /// again moves to the beginning.
    ///
    /// # Errors
    /// `BadRequest` for a cursor of another list.
    pub async fn alarms_page(
        &self,
        scope: &Scope,
        asked: &AlarmFilter,
        cursor: &Cursor,
    ) -> Result<Page<AlarmRow>> {
        let limit = limited(cursor)?;
        let place = cursor.after.as_deref().map(|text| NEWEST.number(text)).transpose()?;
        let before = place.map(|(pos, _)| pos);
        let asked = self.asked(scope, asked).await?;
        let plan = way::find(&self.pools, &asked).await?;
        let (mut keys, mut found, mut end, mut from) = (Vec::new(), None, None, before);
        for _ in 0..LOOKS {
            end = self.end(&asked, plan, from).await?;
            let wanted = limit + 1 - keys.len();
            let (part, n) = places(&self.pools, &asked, plan, (from, end), wanted, place.is_none()).await?;
            keys.extend(part);
            found = n.map(|n| n + found.unwrap_or(0));
            if end.is_none() || keys.len() > limit {
                break;
            }
            from = end;
        }
        let more = keys.len() > limit;
        keys.truncate(limit);
        let total = match (place, found) {
            (Some((_, total)), _) => total,
            (None, Some(found)) => found.min(COUNT_CAP),
            (None, None) => self.total(&asked, plan, end).await?,
        };
        let next = match (more, keys.last(), end) {
            (true, Some(last), _) => Some(NEWEST.numbered(total, *last)),
            (false, _, Some(end)) => Some(NEWEST.numbered(total, end)),
            _ => None,
        };
        Ok(Page { items: self.at(&keys).await?, next, total })
    }

    /// Where the part ends that is looked through for one page; `None`: nowhere before the end of the list.
    async fn end(&self, asked: &Asked, plan: Plan, before: Option<i64>) -> Result<Option<i64>> {
        if !plan.bounded {
            return Ok(None);
        }
        let mut select = match plan.way {
            Way::Whole(_) => return Ok(None),
            Way::Merge(part) if asked.needle(part).is_some_and(|n| n.grams.is_some()) => {
                let needle = asked.needle(part);
                let (table, grams) =
                    needle.map_or(("", ""), |n| (n.table, n.grams.as_deref().unwrap_or_default()));
                let mut w = Filter::new();
                w.value(&format!("{table} MATCH"), grams);
                asked.places(&mut w, "rowid");
                if let Some(pos) = before {
                    w.value("rowid <", pos);
                }
                let mut select = w.select("rowid", table);
                select.push(" ORDER BY rowid");
                select
            }
            Way::Merge(_) | Way::Dense(_) | Way::Time => {
                let mut w = asked.window();
                if let Some(pos) = before {
                    w.value("pos <", pos);
                }
                let mut select = w.select("pos", "alarms");
                select.push(" ORDER BY pos");
                select
            }
        };
        select.push(&format!(" DESC LIMIT 1 OFFSET {LOOKED_THROUGH}"));
        self.pools.one(select).await?.map(|r| r.fields().int()).transpose()
    }

    /// How many there are, up to [`COUNT_CAP`].
    async fn total(&self, asked: &Asked, plan: Plan, end: Option<i64>) -> Result<u64> {
        let by = match plan.way {
            // What the index gave is the answer.
            Way::Merge(Part::Kinds) if plan.size >= SMALL && asked.only_kinds() => return Ok(COUNT_CAP),
            Way::Merge(part) if asked.needle(part).is_some() => {
                return way::counted(&self.pools, by_text(asked, part, (None, end), "1"), COUNT_CAP).await;
            }
            Way::Whole(part) | Way::Merge(part) | Way::Dense(part) => Some(part),
            Way::Time => None,
        };
        let mut w = asked.filter(by);
        if let Some(part) = by {
            asked.answer(part, &mut w);
        }
        if let Some(pos) = end {
            w.value("pos >=", pos);
        }
        way::counted(&self.pools, w.select("1", asked.from(by)), COUNT_CAP).await
    }

    /// The alarms at these places, in this order. One that was moved or deleted since is not among them.
    pub(super) async fn at(&self, keys: &[i64]) -> Result<Vec<AlarmRow>> {
        let mut w = Filter::new();
        w.and(&among(self.pools.is_postgres(), "pos", keys));
        let mut rows = HashMap::with_capacity(keys.len());
        for row in self.pools.all(w.select(&format!("pos, {COLUMNS}"), "alarms")).await? {
            let mut f = row.fields();
            rows.insert(f.int()?, read(&mut f)?);
        }
        widen(&self.pools, keys.iter().filter_map(|k| rows.remove(k)).collect()).await
    }
}
