// SPDX-License-Identifier: Apache-2.0
//! The list of policy groups.

use super::{carrier, default_group, hosts_of};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::page;
use crate::project;
use crate::rest::Rest;
use crate::settings::{HIGH_DETECTION, is_on};
use crate::words;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Host groups whose hosts are counted for one request; beyond it numbers are absent.
const MOST_COUNTS: usize = 1000;

/// What a policy group is shown with.
#[derive(Debug, Default)]
struct Use {
    /// `None`: too many host groups to count.
    hosts: Option<u64>,
    /// By host groups that people made.
    groups: Vec<String>,
}

pub(crate) async fn list_policy_group(call: &Call) -> Answer {
    let ask = &call.ask;
    let at = ask.offset()?;
    let name = ask.short("group_name", 256)?.map(str::to_lowercase);
    let id = ask.short("group_id", 256)?;
    // HSS has groups of its container edition; here each group is for every edition.
    let containers_only = ask.flag("container_mode").unwrap_or(false);
    let mut rows = Vec::new();
    if !containers_only {
        let groups = call.rest.items("/policy-groups").await?;
        for project in project::asked(call).await? {
            rows.push(default_group::row(&project));
            rows.extend(groups.iter().filter(|g| words::text(g, "project") == project).cloned());
        }
        rows.retain(|g| {
            name.as_ref().is_none_or(|n| words::text(g, "name").to_lowercase().contains(n))
                && id.is_none_or(|i| words::text(g, "id") == i)
        });
    }
    let listed = page::cut(rows, at);
    let host_groups =
        if listed.items.is_empty() { Vec::new() } else { call.rest.items("/host-groups").await? };
    let mut counts = Counts { rest: &call.rest, known: BTreeMap::new() };
    let mut switches: BTreeMap<String, bool> = BTreeMap::new();
    let mut out = Vec::with_capacity(listed.items.len());
    for group in &listed.items {
        let project = words::text(group, "project");
        let is_used = used(group, &host_groups, &mut counts).await?;
        let by_switch = match switches.get(project) {
            Some(on) => *on,
            None => {
                let on = is_on(&call.rest, project, HIGH_DETECTION).await?;
                switches.insert(project.to_owned(), on);
                on
            }
        };
        out.push(shown(group, &is_used, by_switch));
    }
    Ok(json!({ "total_num": listed.total, "data_list": out }).into())
}

/// Numbers of hosts, each asked once.
struct Counts<'a> {
    rest: &'a Rest,
    known: BTreeMap<(&'static str, String), u64>,
}

impl Counts<'_> {
    async fn of(&mut self, name: &'static str, id: &str) -> Result<Option<u64>, HssError> {
        let key = (name, id.to_owned());
        if let Some(n) = self.known.get(&key) {
            return Ok(Some(*n));
        }
        if self.known.len() >= MOST_COUNTS {
            return Ok(None);
        }
        let n = hosts_of(self.rest, name, id).await?;
        self.known.insert(key, n);
        Ok(Some(n))
    }
}

async fn used(group: &Value, host_groups: &[Value], counts: &mut Counts<'_>) -> Result<Use, HssError> {
    let (id, project) = (words::text(group, "id"), words::text(group, "project"));
    let of_project = || host_groups.iter().filter(|g| words::text(g, "project") == project);
    let by_default = group.get("default").is_some();
    // Hosts with the default group are all of the project but those that have another one.
    let counted: Vec<&Value> = of_project()
        .filter(|g| match words::text(g, "policy_group") {
            "" => false,
            policy => by_default || policy == id,
        })
        .collect();
    let mut sum = Some(0_u64);
    for g in counted {
        let n = counts.of("group", words::text(g, "id")).await?;
        sum = sum.zip(n).map(|(a, b)| a + b);
    }
    if by_default {
        sum = counts.of("project", project).await?.zip(sum).map(|(all, others)| all.saturating_sub(others));
    }
    let groups = of_project()
        .filter(|g| carrier::policy_of(g, project) == id && !carrier::is(g))
        .map(|g| words::text(g, "name").to_owned())
        .collect();
    Ok(Use { hosts: sum, groups })
}

/// A policy group as HSS shows one.
fn shown(group: &Value, is_used: &Use, high_detection: bool) -> Value {
    let default = group.get("default").is_some();
    let by_switch = if high_detection { "high_detection" } else { "equalization" };
    let mode =
        Some(words::text(group, "settings.protect_mode")).filter(|m| !m.is_empty()).unwrap_or(by_switch);
    json!({
        "group_name": words::at(group, "name"),
        "group_id": words::at(group, "id"),
        "description": words::at(group, "description"),
        "host_num": is_used.hosts,
        "default_group": default,
        "deletable": !default && is_used.hosts == Some(0) && is_used.groups.is_empty(),
        "support_os": "Linux",
        // The one of those with groups that can be copied and deployed.
        "support_version": "hss.version.premium",
        "protect_mode": mode,
        "lazaret_project": words::at(group, "project"),
        "lazaret_host_groups": is_used.groups,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_as_hss_shows_it() {
        let group = json!({ "id": "p", "project": "0", "name": "strict", "description": "", "settings": {} });
        let free = Use { hosts: Some(0), groups: vec![] };
        let shown = shown(&group, &free, true);
        assert_eq!(
            (&shown["group_name"], &shown["protect_mode"]),
            (&json!("strict"), &json!("high_detection"))
        );
        assert_eq!((&shown["deletable"], &shown["default_group"]), (&json!(true), &json!(false)));
        let own = json!({ "settings": { "protect_mode": "equalization" } });
        assert_eq!(
            super::shown(&own, &free, true)["protect_mode"],
            "equalization",
            "its own word goes first"
        );
    }

    #[test]
    fn only_what_nobody_uses_can_go() {
        let group = json!({ "settings": {} });
        for is_used in [
            Use { hosts: Some(1), groups: vec![] },
            Use { hosts: None, groups: vec![] },
            Use { hosts: Some(0), groups: vec!["web".to_owned()] },
        ] {
            assert_eq!(shown(&group, &is_used, false)["deletable"], false, "{is_used:?}");
        }
        let default = shown(&default_group::row("0"), &Use { hosts: Some(0), groups: vec![] }, false);
        assert_eq!((&default["deletable"], &default["default_group"]), (&json!(false), &json!(true)));
        assert_eq!(default["protect_mode"], "equalization");
    }
}
