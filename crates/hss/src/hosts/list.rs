// SPDX-License-Identifier: Apache-2.0
//! `list_host_status`: the servers.

use super::facts::Facts;
use super::filter;
use super::risks::{self, MOST_ASKED, Risks};
use super::row::row;
use super::wanted::Wanted;
use crate::ask::Offset;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host;
use crate::page::{self, Listed};
use crate::words::text;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// By open alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Most,
    Least,
}

pub(crate) async fn list_host_status(call: &Call) -> Answer {
    let at = call.ask.offset()?;
    let order = order(call)?;
    let facts = Facts::read(call).await?;
    let Some(wanted) = filter::hosts(&call.ask, call.scoped(), &facts)? else {
        return Ok(json!({ "total_num": 0, "data_list": [] }).into());
    };
    let mut risks = Risks { scanned: risks::scanned(call).await?, ..Risks::default() };
    let whole = wanted.asks_for_risks() || order.is_some();
    if whole {
        risks.unhandled = of_all(call, &wanted).await?;
    }
    let listed = match order {
        Some(order) => by_risk(call, &wanted, &risks, order, at).await?,
        None if wanted.is_plain() => page::page(&call.rest, "/hosts", &wanted.query, at).await?,
        None => page::kept(&call.rest, "/hosts", &wanted.query, at, |h| wanted.keeps(h, &risks)).await?,
    };
    if !whole {
        let ids: Vec<String> = listed.items.iter().map(|h| text(h, "id").to_owned()).collect();
        risks.unhandled = risks::of_hosts(call, &ids).await?;
    }
    let one = |h: &Value| row(h, &facts, risks.unhandled(h), risks.is_scanned(h));
    let rows: Vec<Value> = listed.items.iter().map(one).collect();
    let cut = risks.scans_are_cut();
    Ok(json!({ "total_num": listed.total, "data_list": rows, "lazaret_scans_are_cut": cut }).into())
}

fn order(call: &Call) -> Result<Option<Order>, HssError> {
    let direction = call.ask.word("sort_dir", &[("asc", Order::Least), ("desc", Order::Most)])?;
    let key = call.ask.word("sort_key", &[("risk_num", ())])?;
    Ok(key.map(|()| direction.unwrap_or(Order::Most)))
}

/// Open alarms of whoever the query finds.
async fn of_all(call: &Call, wanted: &Wanted) -> Result<HashMap<String, u64>, HssError> {
    if let Some(found) = risks::of_all(call).await? {
        return Ok(found);
    }
    let mut ids = Vec::new();
    let all = page::each(&call.rest, "/hosts", &wanted.query, MOST_ASKED, |h| {
        ids.push(text(h, "id").to_owned());
        true
    });
    if !all.await? {
        return Err(HssError::invalid(format!(
            "has_intrusion, detect_result, sort_key: too many alarms are open to look at those of over {MOST_ASKED} \
             hosts: ask with group_id, host_id_list or another filter, or handle alarms first"
        )));
    }
    risks::of_hosts(call, &ids).await
}

/// Hosts with equally many alarms stay in the order of the list.
async fn by_risk(
    call: &Call,
    wanted: &Wanted,
    risks: &Risks,
    order: Order,
    at: Offset,
) -> Result<Listed, HssError> {
    let all: Mutex<Vec<(u64, String)>> = Mutex::default();
    let none = Offset { offset: 0, limit: 0 };
    let listed = page::kept(&call.rest, "/hosts", &wanted.query, none, |h| {
        let keeps = wanted.keeps(h, risks);
        if keeps {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.push((risks.unhandled(h), text(h, "id").to_owned()));
        }
        keeps
    })
    .await?;
    let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    let ids = part(all, order, at);
    let mut found = host::here(call, ids.iter().map(String::as_str)).await?;
    Ok(Listed { items: ids.iter().filter_map(|id| found.remove(id)).collect(), total: listed.total })
}

/// The ids of the part that is asked for.
fn part(mut all: Vec<(u64, String)>, order: Order, at: Offset) -> Vec<String> {
    all.sort_by(|(a, _), (b, _)| match order {
        Order::Most => b.cmp(a),
        Order::Least => a.cmp(b),
    });
    let (skip, take) = (usize::try_from(at.offset), usize::try_from(at.limit));
    let part = all.into_iter().skip(skip.unwrap_or(usize::MAX)).take(take.unwrap_or(usize::MAX));
    part.map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_first() {
        let all: Vec<_> = [(0, "a"), (2, "b"), (5, "c"), (2, "d")].map(|(n, id)| (n, id.to_owned())).into();
        let at = Offset { offset: 1, limit: 2 };
        assert_eq!(part(all.clone(), Order::Most, at), ["b", "d"]);
        assert_eq!(part(all, Order::Least, Offset { offset: 0, limit: 10 }), ["a", "b", "d", "c"]);
    }
}
