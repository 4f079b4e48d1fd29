// SPDX-License-Identifier: Apache-2.0
//! `show_hosts_statistics`: how many servers of each kind.

use super::editions::VERSIONS;
use super::facts::{self, Group};
use super::risks;
use crate::billing::pools;
use crate::call::{Answer, Call};
use crate::host;
use crate::page;
use crate::words::{ASSET_VALUES, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Hosts that are counted.
const MOST: u64 = 2_000_000;
/// Groups that the answer names.
const MOST_GROUPS: usize = 1_000;

/// What is counted.
#[derive(Debug, Default)]
struct Counts {
    total: u64,
    at_risk: u64,
    closed: u64,
    opened: u64,
    interrupted: u64,
    not_online: u64,
    by_status: BTreeMap<String, u64>,
    by_edition: BTreeMap<String, u64>,
    by_importance: BTreeMap<String, u64>,
    by_group: BTreeMap<String, u64>,
}

impl Counts {
    fn add(&mut self, host: &Value, unhandled: u64) {
        self.total += 1;
        self.at_risk += u64::from(unhandled > 0);
        match host::protect_status(host) {
            "opened" => self.opened += 1,
            "closed" => self.closed += 1,
            _ => self.interrupted += 1,
        }
        self.not_online += u64::from(!host::is_online(host));
        for (counts, path) in [
            (&mut self.by_status, "status"),
            (&mut self.by_edition, "edition.edition"),
            (&mut self.by_importance, "importance"),
            (&mut self.by_group, "group"),
        ] {
            *counts.entry(text(host, path).to_owned()).or_default() += 1;
        }
    }

    fn answer(&self, groups: &HashMap<String, Group>, idle: Option<u64>, risks_are_known: bool) -> Value {
        let of = |counts: &BTreeMap<String, u64>, word: &str| counts.get(word).copied().unwrap_or(0);
        let edition = |hss: &str| {
            let ours = VERSIONS.iter().find(|(word, _)| *word == hss).map(|(_, ours)| *ours);
            ours.map_or(0, |ours| of(&self.by_edition, ours))
        };
        let values: Vec<Value> = ASSET_VALUES
            .iter()
            .map(|(word, ours)| json!({ "value_type": word, "host_num": of(&self.by_importance, ours) }))
            .collect();
        let mut named: Vec<(&String, &Group)> = groups.iter().collect();
        named.sort_by(|(a_id, a), (b_id, b)| (&a.name, a_id).cmp(&(&b.name, b_id)));
        let group = |(id, g): &(&String, &Group)| {
            let hosts = of(&self.by_group, id);
            json!({ "server_group_id": id, "server_group_name": g.name, "host_num": hosts })
        };
        let list: Vec<Value> = named.iter().take(MOST_GROUPS).map(group).collect();
        json!({
            "total_num": self.total,
            "risk_num": risks_are_known.then_some(self.at_risk),
            "unprotected_num": self.closed,
            "protected_num": self.opened,
            "protect_interrupt_num": self.interrupted,
            "not_installed_num": of(&self.by_status, "not_installed"),
            "installed_failed_num": of(&self.by_status, "install_failed"),
            "not_online_num": self.not_online,
            "version_basic_num": edition("hss.version.basic"),
            "version_advanced_num": edition("hss.version.advanced"),
            "version_enterprise_num": edition("hss.version.enterprise"),
            "version_premium_num": edition("hss.version.premium"),
            "version_wtp_num": edition("hss.version.wtp"),
            "version_container_num": edition("hss.version.container.enterprise"),
            "host_group_num": groups.len(),
            "server_group_num": groups.len(),
            "asset_value_list": values,
            "server_group_list": list,
            // Nobody can have a host ignored.
            "ignore_host_num": 0,
            "idle_num": idle,
        })
    }
}

pub(crate) async fn show_hosts_statistics(call: &Call) -> Answer {
    let groups = facts::groups(call).await?;
    let idle = pools::idle(&pools::read(call).await?);
    let unhandled = risks::of_all(call).await?;
    let known = unhandled.is_some();
    let unhandled = unhandled.unwrap_or_default();
    let mut counts = Counts::default();
    let query = call.scoped();
    let all = page::each(&call.rest, "/hosts", &query, MOST, |host| {
        counts.add(host, unhandled.get(text(host, "id")).copied().unwrap_or(0));
        true
    });
    all.await?;
    Ok(counts.answer(&groups, idle, known).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn counted_by_kind() {
        let mut counts = Counts::default();
        let host = |status: &str, edition: &str, group: Option<&str>| {
            json!({
                "status": status, "edition": { "edition": edition }, "group": group, "importance": "test",
                "protection": { "state": "full" },
            })
        };
        counts.add(&host("online", "professional", Some("g")), 2);
        counts.add(&host("offline", "professional", None), 0);
        counts.add(&host("online", "none", Some("g")), 0);
        let group = Group { name: "web".to_owned(), ..Group::default() };
        let answer = counts.answer(&[("g".to_owned(), group)].into(), Some(7), true);
        for (field, n) in [
            ("total_num", 3),
            ("risk_num", 1),
            ("protected_num", 1),
            ("unprotected_num", 1),
            ("protect_interrupt_num", 1),
            ("not_online_num", 1),
            ("version_advanced_num", 2),
            ("version_basic_num", 0),
            ("host_group_num", 1),
            ("idle_num", 7),
        ] {
            assert_eq!(answer[field], n, "{field}");
        }
        assert_eq!(answer["server_group_list"][0]["host_num"], 2);
        assert_eq!(answer["asset_value_list"][2], json!({ "value_type": "test", "host_num": 3 }));
        let unknown = without_nulls(counts.answer(&HashMap::new(), None, false));
        assert!(unknown.get("risk_num").is_none() && unknown.get("idle_num").is_none());
    }
}
