// SPDX-License-Identifier: Apache-2.0
//! `list_host_groups`: the groups with their hosts.

use super::facts::{self, Group};
use super::risks;
use crate::call::{Answer, Call};
use crate::host;
use crate::page;
use crate::words::text;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Hosts that are looked at for one answer.
const MOST: u64 = 2_000_000;
/// Hosts that one group names.
const MOST_NAMED: usize = 10_000;

/// What a group has.
#[derive(Debug, Default)]
struct Members {
    hosts: u64,
    at_risk: u64,
    unprotected: u64,
    ids: Vec<String>,
}

impl Members {
    fn add(&mut self, host: &Value, is_at_risk: bool) {
        self.hosts += 1;
        self.at_risk += u64::from(is_at_risk);
        self.unprotected += u64::from(host::protect_status(host) == "closed");
        if self.ids.len() < MOST_NAMED {
            self.ids.push(text(host, "id").to_owned());
        }
    }

    fn row(&self, id: &str, group: &Group, risks_are_known: bool) -> Value {
        json!({
            "group_id": id,
            "group_name": group.name,
            "host_num": self.hosts,
            "risk_host_num": risks_are_known.then_some(self.at_risk),
            "unprotect_host_num": self.unprotected,
            "host_id_list": self.ids,
            // As `outside_host` of its hosts.
            "is_outside": true,
            "lazaret_policy_group_id": Some(&group.policy).filter(|p| !p.is_empty()),
        })
    }
}

pub(crate) async fn list_host_groups(call: &Call) -> Answer {
    let at = call.ask.offset()?;
    let part = call.ask.short("group_name", 64)?.map(str::to_lowercase);
    let groups = facts::groups(call).await?;
    let named =
        |(_, g): &(&String, &Group)| part.as_ref().is_none_or(|p| g.name.to_lowercase().contains(p.as_str()));
    let mut found: Vec<(&String, &Group)> = groups.iter().filter(named).collect();
    found.sort_by(|(a_id, a), (b_id, b)| (&a.name, a_id).cmp(&(&b.name, b_id)));
    let listed = page::cut(found.iter().map(|(id, _)| json!(id)).collect(), at);
    let ids: Vec<&str> = listed.items.iter().filter_map(Value::as_str).collect();
    let (members, known) = members(call, &ids).await?;
    let none = Members::default();
    let row = |id: &&str| {
        let group = groups.get(*id)?;
        Some(members.get(*id).unwrap_or(&none).row(id, group, known))
    };
    let rows: Vec<Value> = ids.iter().filter_map(row).collect();
    Ok(json!({ "total_num": listed.total, "data_list": rows }).into())
}

/// Those of the groups that are shown, and whether their risks are known.
async fn members(
    call: &Call,
    ids: &[&str],
) -> Result<(HashMap<String, Members>, bool), crate::error::HssError> {
    let mut found: HashMap<String, Members> = HashMap::new();
    if ids.is_empty() {
        return Ok((found, true));
    }
    let unhandled = risks::of_all(call).await?;
    let known = unhandled.is_some();
    let unhandled = unhandled.unwrap_or_default();
    let mut query = call.scoped();
    if let [only] = ids {
        query.push(("group", (*only).to_owned()));
    }
    let all = page::each(&call.rest, "/hosts", &query, MOST, |host| {
        let group = text(host, "group");
        if ids.contains(&group) {
            let members = found.entry(group.to_owned()).or_default();
            members.add(host, unhandled.contains_key(text(host, "id")));
        }
        true
    });
    all.await?;
    Ok((found, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_with_its_hosts() {
        let mut members = Members::default();
        members.add(&json!({ "id": "a", "status": "online", "edition": { "edition": "none" } }), true);
        members.add(&json!({ "id": "b", "status": "offline", "edition": { "edition": "basic" } }), false);
        let group = Group { name: "web".to_owned(), ..Group::default() };
        let row = members.row("g", &group, true);
        assert_eq!(
            (&row["host_num"], &row["risk_host_num"], &row["unprotect_host_num"]),
            (&json!(2), &json!(1), &json!(1))
        );
        assert_eq!((&row["host_id_list"], &row["group_name"]), (&json!(["a", "b"]), &json!("web")));
        assert!(members.row("g", &group, false)["risk_host_num"].is_null());
    }
}
