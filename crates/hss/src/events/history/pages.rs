// SPDX-License-Identifier: Apache-2.0
//! Parts of the history, from either end.

use super::wanted::Wanted;
use crate::alarm;
use crate::ask::Offset;
use crate::call::Call;
use crate::error::HssError;
use crate::page::{self, Listed};
use crate::rest::Query;
use crate::words::{at, text};
use serde_json::Value;
use std::collections::HashSet;

const PATH: &str = "/alarms/handlings";
/// Rows of one page of the API, and pages of one request.
const STEP: usize = 1000;
const MOST_STEPS: usize = 2_001;
/// Rows whose alarms are looked at, where the alarms decide.
const MOST_JOINED: usize = 100_000;

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
        let query = self.query(call);
        if !self.alarm.is_empty() {
            return self.joined(call, &query, part).await;
        }
        if self.rows.is_empty() {
            return page::page(&call.rest, PATH, &query, part).await;
        }
        page::kept(&call.rest, PATH, &query, part, |row| self.rows.keeps(row)).await
    }

    /// The API has them the other way round.
    pub(super) async fn oldest_first(&self, call: &Call, part: Offset) -> Result<Listed, HssError> {
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
    async fn joined(&self, call: &Call, query: &Query, part: Offset) -> Result<Listed, HssError> {
        let mut out = Listed::default();
        let (mut after, mut looked): (Option<String>, usize) = (None, 0);
        for _ in 0..MOST_STEPS {
            let mut query = query.clone();
            query.push(("limit", STEP.to_string()));
            query.extend(after.take().map(|a| ("after", a)));
            let page = call.rest.get(PATH, &query).await?;
            let rows = at(&page, "items").as_array().into_iter().flatten();
            let rows: Vec<&Value> = rows.filter(|row| self.rows.keeps(row)).collect();
            looked += rows.len();
            if looked > MOST_JOINED {
                return Err(HssError::invalid(format!(
                    "attack_tag, asset_value and host_name are looked for in {MOST_JOINED} entries at most: ask for an \
                     event_type or an address as well"
                )));
            }
            let fit = self.fitting(call, &rows).await?;
            for row in rows.into_iter().filter(|row| fit.contains(text(row, "alarm"))) {
                if out.total >= part.offset && out.total < part.offset + part.limit {
                    out.items.push(row.clone());
                }
                out.total += 1;
            }
            match at(&page, "next").as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => break,
            }
        }
        Ok(out)
    }

    /// Those of the rows' alarms that are as they must be.
    async fn fitting(&self, call: &Call, rows: &[&Value]) -> Result<HashSet<String>, HssError> {
        let mut query = call.scoped();
        query.extend(self.alarm.iter().cloned());
        let found = alarm::by_id(call, &query, rows.iter().map(|row| text(row, "alarm"))).await?;
        Ok(found.into_keys().collect())
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
