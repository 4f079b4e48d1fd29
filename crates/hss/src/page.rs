// SPDX-License-Identifier: Apache-2.0
//! Lists by offset, as HSS has them, over the API's lists, which have cursors.

use crate::ask::Offset;
use crate::error::HssError;
use crate::rest::{self, Query, Rest};
use crate::sign::hex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Rows of one page of the API.
const STEP: u64 = 1000;
/// Pages that one request looks at: two million rows, as far as an offset goes.
const MOST_STEPS: u64 = 2_001;
/// Pages of that size that are read at the same time, by all together.
static TURNS: Semaphore = Semaphore::const_new(4);
/// A place in a list is remembered so long.
const KEPT: Duration = Duration::from_secs(600);
/// Lists of which places are remembered.
const MOST_LISTS: usize = 1_000;
/// Places of one list.
const MOST_PLACES: usize = 500;

/// A part of a list, and how many there are.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) items: Vec<Value>,
    pub(crate) total: u64,
}

/// Offset and the cursor that goes on from there.
type Places = BTreeMap<u64, String>;

static PLACES: LazyLock<Mutex<HashMap<String, (Instant, Places)>>> = LazyLock::new(Mutex::default);

/// Where to begin for an offset: the nearest place before it.
fn nearest(list: &str, offset: u64) -> (u64, Option<String>) {
    let lists = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let place = lists.get(list).filter(|(at, _)| at.elapsed() < KEPT);
    let before = place.and_then(|(_, places)| places.range(..=offset).next_back());
    before.map_or((0, None), |(n, cursor)| (*n, Some(cursor.clone())))
}

fn remember(list: &str, offset: u64, cursor: &str) {
    let mut lists = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    if lists.len() >= MOST_LISTS && !lists.contains_key(list) {
        lists.retain(|_, (at, _)| at.elapsed() < KEPT);
        if lists.len() >= MOST_LISTS {
            lists.clear();
        }
    }
    let (at, places) = lists.entry(list.to_owned()).or_insert_with(|| (Instant::now(), Places::new()));
    if at.elapsed() >= KEPT {
        places.clear();
        *at = Instant::now();
    }
    if places.len() < MOST_PLACES {
        places.insert(offset, cursor.to_owned());
    }
}

/// One page of the API's list at `path`.
async fn step(
    rest: &Rest,
    path: &str,
    query: &Query,
    after: Option<&str>,
    limit: u64,
) -> Result<(Vec<Value>, Option<String>, u64, bool), HssError> {
    // Who walks far takes turns: one list of millions must not keep others from their first page.
    let _turn = if limit == STEP { TURNS.acquire().await.ok() } else { None };
    let mut query = query.clone();
    query.push(("limit", limit.to_string()));
    if let Some(after) = after {
        query.push(("after", after.to_owned()));
    }
    let mut page = rest.get(path, &query).await?;
    let items = match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let next = page.get("next").and_then(Value::as_str).map(str::to_owned);
    let total = page.get("total").and_then(Value::as_u64).unwrap_or(items.len() as u64);
    let capped = page.get("total_is_capped").and_then(Value::as_bool).unwrap_or(false);
    Ok((items, next, total, capped))
}

/// The part of the API's list at `path` that is asked for. More than the API counts is counted by looking.
pub(crate) async fn page(rest: &Rest, path: &str, query: &Query, at: Offset) -> Result<Listed, HssError> {
    // A digest: queries can be long, and many lists are remembered.
    let name = format!("{} {}", rest.person().credential(), rest::with(path, query));
    let name = hex(&Sha256::digest(name.as_bytes()));
    let (mut here, mut after) = nearest(&name, at.offset);
    let end = at.offset + at.limit;
    let (mut out, mut counted, mut many) = (Listed::default(), 0, false);
    for _ in 0..MOST_STEPS {
        let limit = if here < at.offset {
            (at.offset - here).min(STEP)
        } else {
            end.saturating_sub(here).clamp(1, STEP)
        };
        let (items, next, total, capped) = step(rest, path, query, after.as_deref(), limit).await?;
        (counted, many) = (total, capped);
        let length = items.len() as u64;
        out.items.extend(
            items.into_iter().zip(here..).filter(|(_, n)| *n >= at.offset && *n < end).map(|(i, _)| i),
        );
        here += length;
        after = next;
        match &after {
            Some(cursor) => remember(&name, here, cursor),
            None => {
                // The end tells better than any count.
                out.total = here;
                return Ok(out);
            }
        }
        if here >= end {
            break;
        }
    }
    out.total = if many { count(rest, path, query, &name, here, after).await? } else { counted.max(here) };
    Ok(out)
}

/// How many there are, from a place on.
async fn count(
    rest: &Rest,
    path: &str,
    query: &Query,
    name: &str,
    mut here: u64,
    mut after: Option<String>,
) -> Result<u64, HssError> {
    if let (there, Some(cursor)) = nearest(name, u64::MAX)
        && there > here
    {
        (here, after) = (there, Some(cursor));
    }
    for _ in 0..MOST_STEPS {
        let Some(cursor) = &after else { break };
        let (items, next, _, _) = step(rest, path, query, Some(cursor), STEP).await?;
        here += items.len() as u64;
        after = next;
        if let Some(cursor) = &after {
            remember(name, here, cursor);
        }
    }
    Ok(here)
}

/// The same of those that `keep` keeps: for what the API's own filter does not know. Looks at all of them.
pub(crate) async fn kept(
    rest: &Rest,
    path: &str,
    query: &Query,
    at: Offset,
    keep: impl Fn(&Value) -> bool + Send,
) -> Result<Listed, HssError> {
    let mut out = Listed::default();
    let end = at.offset + at.limit;
    let mut after = None;
    for _ in 0..MOST_STEPS {
        let (items, next, _, _) = step(rest, path, query, after.as_deref(), STEP).await?;
        for item in items.into_iter().filter(&keep) {
            if out.total >= at.offset && out.total < end {
                out.items.push(item);
            }
            out.total += 1;
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    Ok(out)
}

/// Everything of a list that is short by its nature; at most so many.
pub(crate) async fn all(rest: &Rest, path: &str, query: &Query, most: u64) -> Result<Vec<Value>, HssError> {
    let mut out = Vec::new();
    let mut after = None;
    // An empty page with a cursor goes on; a list of such has an end too.
    for _ in 0..MOST_STEPS {
        let (items, next, _, _) = step(rest, path, query, after.as_deref(), STEP.min(most)).await?;
        out.extend(items);
        after = next;
        if after.is_none() || out.len() as u64 >= most {
            break;
        }
    }
    out.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(out)
}

/// Shows rows to `look`, `most` at most, until it has seen enough and says false. False: there are more of them.
pub(crate) async fn each(
    rest: &Rest,
    path: &str,
    query: &Query,
    most: u64,
    mut look: impl FnMut(&Value) -> bool + Send,
) -> Result<bool, HssError> {
    let (mut seen, mut after) = (0, None);
    while seen < most {
        let (items, next, _, _) = step(rest, path, query, after.as_deref(), STEP.min(most - seen)).await?;
        seen += items.len() as u64;
        if !items.iter().all(&mut look) {
            return Ok(false);
        }
        after = next;
        // An empty page with a cursor goes on; a list of such has an end too.
        if after.is_none() {
            return Ok(true);
        }
        seen += u64::from(items.is_empty());
    }
    Ok(false)
}

/// Part of what is here already.
pub(crate) fn cut(items: Vec<Value>, at: Offset) -> Listed {
    let total = items.len() as u64;
    let skip = usize::try_from(at.offset).unwrap_or(usize::MAX);
    let take = usize::try_from(at.limit).unwrap_or(usize::MAX);
    Listed { items: items.into_iter().skip(skip).take(take).collect(), total }
}

#[cfg(test)]
mod tests;
