// SPDX-License-Identifier: Apache-2.0
//! `show_resource_quotas`: how much of each version there is.

use super::pools::{self, Pool};
use crate::call::{Answer, Call};
use crate::hosts::editions::{CHARGING_MODES, NONE, VERSIONS};
use crate::words::rfc3339;
use serde_json::{Value, json};

/// HSS counts to here: a quota without a limit has as much.
const MOST: u64 = 2_000_000;

pub(crate) async fn show_resource_quotas(call: &Call) -> Answer {
    let edition = call.ask.word("version", &VERSIONS)?;
    let mode = call.ask.word("charging_mode", &CHARGING_MODES)?;
    let mut pools = pools::read(call).await?;
    pools.retain(|p| mode.is_none_or(|m| m == p.charging_mode()));
    let now = rfc3339(call.rest.inside().now_ms());
    let sold = VERSIONS.iter().filter(|(_, e)| *e != NONE && edition.is_none_or(|wanted| wanted == *e));
    let rows: Vec<Value> = sold.map(|(version, e)| row(version, e, &pools, &now)).collect();
    Ok(json!({ "data_list": rows }).into())
}

fn row(version: &str, edition: &str, pools: &[Pool], now: &str) -> Value {
    let of: Vec<&Pool> = pools.iter().filter(|p| p.edition == edition).collect();
    let available: Vec<&Pool> = of.iter().copied().filter(|p| p.is_available()).collect();
    let used: u64 = of.iter().map(|p| p.used).sum();
    // Of a shared quota with a limit only who may see all projects is told how much is left.
    let left: Vec<u64> =
        available.iter().filter_map(|p| if p.is_unlimited { Some(MOST) } else { p.idle }).collect();
    let known = left.len() == available.len() || !left.is_empty();
    let room = MOST.saturating_sub(used.min(MOST));
    let left: u64 = left.iter().fold(0, |sum: u64, n| sum.saturating_add(*n)).min(room);
    let is_unlimited = available.iter().any(|p| p.is_unlimited);
    let total = if is_unlimited {
        Some(MOST)
    } else {
        of.iter().map(|p| p.size()).sum::<Option<u64>>().map(|n| n.min(MOST))
    };
    let resource =
        |p: &&Pool| json!({ "resource_id": p.id, "current_time": now, "shared_quota": p.shared() });
    let resources: Vec<Value> = available.iter().map(resource).collect();
    json!({
        "version": version,
        "total_num": total,
        "used_num": used.min(MOST),
        "available_num": known.then_some(left),
        "available_resources_list": resources,
        "lazaret_unlimited": is_unlimited,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(id: &str, status: &str, total: Option<u64>, used: u64, unlimited: bool) -> Pool {
        Pool::of(&json!({
            "id": id, "project": "0", "edition": "premium", "quota_status": status, "total": total, "used": used,
            "idle": total.map(|t| t - used), "unlimited": unlimited,
        }))
    }

    #[test]
    fn what_is_left() {
        let pools = [
            pool("a", "normal", Some(5), 5, false),
            pool("b", "normal", Some(4), 1, false),
            pool("c", "freeze", Some(9), 0, false),
        ];
        let row = row("hss.version.premium", "premium", &pools, "now");
        assert_eq!(
            (&row["total_num"], &row["used_num"], &row["available_num"]),
            (&json!(18), &json!(6), &json!(3))
        );
        let expected = json!([{ "resource_id": "b", "current_time": "now", "shared_quota": "unshared" }]);
        assert_eq!(row["available_resources_list"], expected);
    }

    #[test]
    fn without_a_limit_or_without_an_answer() {
        let free = row("v", "premium", &[pool("a", "normal", None, 7, true)], "now");
        assert_eq!((&free["total_num"], &free["available_num"]), (&json!(MOST), &json!(MOST - 7)));
        let untold = row("v", "premium", &[pool("a", "normal", None, 7, false)], "now");
        assert_eq!((&untold["total_num"], &untold["available_num"]), (&Value::Null, &Value::Null));
        assert_eq!(untold["used_num"], 7);
        let none = row("v", "premium", &[], "now");
        assert_eq!((&none["total_num"], &none["available_num"]), (&json!(0), &json!(0)));
    }
}
