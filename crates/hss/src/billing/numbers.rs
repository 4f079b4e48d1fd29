// SPDX-License-Identifier: Apache-2.0
//! How many quotas of each kind: the head of `list_quotas_detail`.

use super::pools::Pool;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Over all quotas, whichever are asked for.
pub(super) fn of(pools: &[Pool]) -> Value {
    let sum = |of: &dyn Fn(&Pool) -> u64| pools.iter().map(of).fold(0, u64::saturating_add);
    // Absent where the caller is not told of one of them.
    let size_where =
        |is: &dyn Fn(&Pool) -> bool| pools.iter().filter(|p| is(p)).map(Pool::size).try_fold(0, added);
    let mut versions: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    for p in pools {
        let Some(version) = p.version() else { continue };
        let of = versions.entry(version).or_insert(Some(0));
        *of = of.and_then(|n| added(n, p.size()));
    }
    let list: Vec<Value> =
        versions.iter().map(|(version, n)| json!({ "version": version, "total_num": n })).collect();
    json!({
        "packet_cycle_num": size_where(&|p| !p.is_unlimited),
        "on_demand_num": size_where(&|p| p.is_unlimited),
        "used_num": sum(&|p| p.used),
        "idle_num": sum(&|p| p.idle.unwrap_or(0)),
        "normal_num": size_where(&|p| p.status == "normal"),
        "expired_num": size_where(&|p| p.status == "expired"),
        "freeze_num": size_where(&|p| p.status == "freeze"),
        "quota_statistics_list": list,
    })
}

fn added(sum: u64, more: Option<u64>) -> Option<u64> {
    more.map(|n| sum.saturating_add(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(status: &str, total: Option<u64>, used: u64) -> Pool {
        Pool::of(&json!({
            "id": "q", "project": "0", "edition": "container", "quota_status": status, "total": total,
            "used": used, "idle": total.map(|t| t - used), "unlimited": total.is_none(),
        }))
    }

    #[test]
    fn sums() {
        let n = of(&[pool("normal", Some(5), 1), pool("freeze", None, 3)]);
        for (field, expected) in [
            ("packet_cycle_num", 5),
            ("on_demand_num", 3),
            ("used_num", 4),
            ("idle_num", 4),
            ("normal_num", 5),
            ("freeze_num", 3),
            ("expired_num", 0),
        ] {
            assert_eq!(n[field], expected, "{field}");
        }
        let expected = json!([{ "version": "hss.version.container.enterprise", "total_num": 8 }]);
        assert_eq!(n["quota_statistics_list"], expected);
    }

    #[test]
    fn what_nobody_told_is_in_no_sum() {
        let untold = Pool { is_unlimited: false, ..pool("normal", None, 3) };
        let n = of(&[pool("freeze", Some(5), 1), untold]);
        for absent in ["packet_cycle_num", "normal_num"] {
            assert!(n[absent].is_null(), "{absent}");
        }
        assert_eq!(
            (&n["freeze_num"], &n["on_demand_num"], &n["used_num"]),
            (&json!(5), &json!(0), &json!(4))
        );
        assert!(n["quota_statistics_list"][0]["total_num"].is_null());
    }
}
