// SPDX-License-Identifier: Apache-2.0
//! Parts of the history, from either end.

use super::wanted::Wanted;
use crate::ask::Offset;
use crate::call::Call;
use crate::error::HssError;
use crate::history::{Joined, PATH};
use crate::page::{self, Listed};
use crate::rest::Query;
use serde_json::Value;

/// The part of a list of so many that is the asked one from the other end.
fn from_the_end(part: Offset, total: u64) -> Offset {
    let end = total.saturating_sub(part.offset);
    let offset = end.saturating_sub(part.limit);
    Offset { offset, limit: end - offset }
}

impl Wanted {
    /// What the API asks for beside the rows.
    fn query(&self, call: &Call) -> Query {
        let mut query = call.scoped();
        if let Some(hosts) = &self.rows.hosts
            && let (1, Some(host)) = (hosts.len(), hosts.first())
        {
            query.push(("host", host.clone()));
        }
        query
    }

    /// As the API has them.
    pub(super) async fn newest_first(&self, call: &Call, part: Offset) -> Result<Listed, HssError> {
        if !self.alarm.is_empty() {
            return self.joined(call, part, false).await;
        }
        let query = self.query(call);
        if self.rows.is_empty() {
            return page::page(&call.rest, PATH, &query, part).await;
        }
        page::kept(&call.rest, PATH, &query, part, |row| self.rows.keeps(row)).await
    }

    /// The API has them the other way round.
    pub(super) async fn oldest_first(&self, call: &Call, part: Offset) -> Result<Listed, HssError> {
        if !self.alarm.is_empty() {
            return self.joined(call, part, true).await;
        }
        let total = self.newest_first(call, Offset { offset: 0, limit: 1 }).await?.total;
        let turned = from_the_end(part, total);
        if turned.limit == 0 {
            return Ok(Listed { items: Vec::new(), total });
        }
        let mut listed = self.newest_first(call, turned).await?;
        listed.items.reverse();
        Ok(listed)
    }

    /// Where the alarms of the rows decide.
    async fn joined(&self, call: &Call, part: Offset, oldest_first: bool) -> Result<Listed, HssError> {
        let mut alarms = call.scoped();
        alarms.extend(self.alarm.iter().cloned());
        let joined = Joined {
            rows: self.query(call),
            keeps: |row: &Value| self.rows.keeps(row),
            alarms: &alarms,
            fits: |_: &Value| true,
            narrower: "an event_type or an address",
        };
        joined.part(call, part, oldest_first).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_way_round() {
        let of = |offset, limit, total| from_the_end(Offset { offset, limit }, total);
        assert_eq!(of(0, 10, 25), Offset { offset: 15, limit: 10 });
        assert_eq!(of(20, 10, 25), Offset { offset: 0, limit: 5 });
        assert_eq!(of(30, 10, 25), Offset { offset: 0, limit: 0 });
    }
}
