// SPDX-License-Identifier: Apache-2.0
//! What was done about alarms, looked through where the alarms of its rows decide: the API's history names alarms alone.

use crate::alarm;
use crate::ask::Offset;
use crate::call::Call;
use crate::error::HssError;
use crate::page::Listed;
use crate::rest::Query;
use crate::words::{self, text};
use serde_json::Value;
use std::collections::VecDeque;

/// The API's list, newest first.
pub(crate) const PATH: &str = "/alarms/handlings";
/// Rows of one page of the API.
const STEP: usize = 1000;
/// Pages of one request: of two million rows, as elsewhere.
const MOST_STEPS: usize = 2_001;
/// Rows whose alarms are looked up for one request.
const MOST: usize = 100_000;

/// A part of the rows, which come newest first.
struct Part {
    oldest_first: bool,
    at: Offset,
    kept: VecDeque<Value>,
    total: u64,
}

impl Part {
    fn add(&mut self, row: &Value) {
        self.total += 1;
        if self.oldest_first {
            self.kept.push_back(row.clone());
            if self.kept.len() as u64 > self.at.offset + self.at.limit {
                self.kept.pop_front();
            }
        } else if self.total > self.at.offset && self.total <= self.at.offset + self.at.limit {
            self.kept.push_back(row.clone());
        }
    }

    fn end(self) -> Listed {
        let skip = if self.oldest_first { usize::try_from(self.at.offset).unwrap_or(usize::MAX) } else { 0 };
        let mut items: Vec<Value> = self.kept.into();
        if self.oldest_first {
            items.reverse();
        }
        Listed { items: items.into_iter().skip(skip).collect(), total: self.total }
    }
}

/// Which rows are asked for.
pub(crate) struct Joined<'a, Row, Alarm> {
    /// For the API's list.
    pub(crate) rows: Query,
    /// Whether a row is.
    pub(crate) keeps: Row,
    /// For `/alarms`: what the row's alarm must be.
    pub(crate) alarms: &'a Query,
    /// Whether such an alarm is.
    pub(crate) fits: Alarm,
    /// What leaves fewer rows, to name where there are too many.
    pub(crate) narrower: &'static str,
}

impl<Row: Fn(&Value) -> bool + Send + Sync, Alarm: Fn(&Value) -> bool + Send + Sync> Joined<'_, Row, Alarm> {
    /// A part of them.
    pub(crate) async fn part(&self, call: &Call, at: Offset, oldest_first: bool) -> Result<Listed, HssError> {
        let mut part = Part { oldest_first, at, kept: VecDeque::new(), total: 0 };
        let (mut after, mut looked): (Option<String>, usize) = (None, 0);
        // Rows that are not looked up are read too: they have an end as well.
        for _ in 0..MOST_STEPS {
            let mut step = self.rows.clone();
            step.push(("limit", STEP.to_string()));
            step.extend(after.take().map(|a| ("after", a)));
            let page = call.rest.get(PATH, &step).await?;
            let all = words::at(&page, "items").as_array().into_iter().flatten();
            let some: Vec<&Value> = all.filter(|r| (self.keeps)(r)).collect();
            looked += some.len();
            if looked > MOST {
                return Err(HssError::invalid(format!(
                    "what {MOST} entries of the history are about is looked up for one request, and there are more: ask \
                     for {} as well",
                    self.narrower
                )));
            }
            let mut fit = alarm::by_id(call, self.alarms, some.iter().map(|r| text(r, "alarm"))).await?;
            fit.retain(|_, a| (self.fits)(a));
            some.iter().filter(|r| fit.contains_key(text(r, "alarm"))).for_each(|r| part.add(r));
            match words::at(&page, "next").as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => break,
            }
        }
        Ok(part.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listed(oldest_first: bool, offset: u64, limit: u64) -> (Vec<i64>, u64) {
        let mut part = Part { oldest_first, at: Offset { offset, limit }, kept: VecDeque::new(), total: 0 };
        // Newest first.
        (1..=25).rev().for_each(|n| part.add(&json!(n)));
        let listed = part.end();
        (listed.items.iter().filter_map(Value::as_i64).collect(), listed.total)
    }

    #[test]
    fn parts_from_both_ends() {
        assert_eq!(listed(false, 0, 3), (vec![25, 24, 23], 25));
        assert_eq!(listed(false, 23, 10), (vec![2, 1], 25));
        assert_eq!(listed(true, 0, 3), (vec![1, 2, 3], 25));
        assert_eq!(listed(true, 22, 10), (vec![23, 24, 25], 25));
        assert_eq!(listed(true, 30, 10), (vec![], 25));
    }
}
