// SPDX-License-Identifier: Apache-2.0
//! A policy group for hosts. Here it holds for host groups: one whose hosts are all named gets it, hosts without a host
//! group go into one that is made for that, and part of somebody's host group is not torn out of it.

use super::{carrier, default_group, deploy_body, find, hosts_of};
use crate::ask::Offset;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host;
use crate::ids::AT_ONCE;
use crate::page;
use crate::rest;
use crate::words;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Hosts that one request moves between host groups, as many as HSS takes by name.
const MOST: u64 = 10_000;

/// What is to be done.
#[derive(Debug, Default)]
struct Plan {
    /// Host groups that get it, by id and name.
    groups: Vec<(String, String)>,
    /// Hosts that change over to the host group of the policy group.
    moved: Vec<String>,
}

pub(crate) async fn associate_policy_group(call: &Call) -> Answer {
    let wanted = deploy_body::read(&call.ask.body)?;
    let project = call.project()?;
    // `None`: the default group, which hosts have that have no other one.
    let policy = if wanted.target == default_group::id(project) {
        None
    } else {
        Some(find(call, wanted.target).await?)
    };
    let mut host_groups = call.rest.items("/host-groups").await?;
    host_groups.retain(|g| words::text(g, "project") == project);
    let plan = match &wanted.hosts {
        Some(ids) => some(call, project, ids, wanted.target, &host_groups).await?,
        None => all(call, project, wanted.target, &host_groups).await?,
    };
    let mut done: Vec<String> = Vec::new();
    let carried = carry_out(call, &plan, policy.as_ref(), &host_groups, &mut done).await;
    carried.map_err(|e| if done.is_empty() { e } else { e.after(&done.join(", ")) })?;
    let groups: Vec<&String> = plan.groups.iter().map(|(_, name)| name).collect();
    Ok(json!({ "lazaret_host_groups": groups, "lazaret_hosts_moved": plan.moved.len() }).into())
}

/// What becomes of one host.
#[derive(Debug, PartialEq, Eq)]
enum Fate<'a> {
    /// It has the policy group.
    Stays,
    /// By its host group, which people made.
    ByGroup(&'a Value),
    /// It changes over.
    Moves,
}

fn fate<'a>(host: &Value, groups: &HashMap<&str, &'a Value>, target: &str, project: &str) -> Fate<'a> {
    match groups.get(words::text(host, "group")) {
        Some(g) if carrier::policy_of(g, project) == target => Fate::Stays,
        Some(g) if !carrier::is(g) => Fate::ByGroup(g),
        None if target == default_group::id(project) => Fate::Stays,
        _ => Fate::Moves,
    }
}

fn by_id(host_groups: &[Value]) -> HashMap<&str, &Value> {
    host_groups.iter().map(|g| (words::text(g, "id"), g)).collect()
}

fn named(group: &Value) -> (String, String) {
    (words::text(group, "id").to_owned(), words::text(group, "name").to_owned())
}

async fn some(
    call: &Call,
    project: &str,
    ids: &[&str],
    target: &str,
    host_groups: &[Value],
) -> Result<Plan, HssError> {
    let found = host::here(call, ids.iter().copied()).await?;
    let there = |id: &&str| found.get(*id).ok_or_else(|| HssError::missing("host", id));
    let hosts = ids.iter().map(there).collect::<Result<Vec<&Value>, HssError>>()?;
    let groups = by_id(host_groups);
    let mut plan = Plan::default();
    let mut chosen: BTreeMap<&str, (&Value, u64)> = BTreeMap::new();
    for host in hosts {
        match fate(host, &groups, target, project) {
            Fate::Stays => {}
            Fate::ByGroup(g) => chosen.entry(words::text(g, "id")).or_insert((g, 0)).1 += 1,
            Fate::Moves => plan.moved.push(words::text(host, "id").to_owned()),
        }
    }
    for (id, (group, some)) in chosen {
        let of = hosts_of(&call.rest, "group", id).await?;
        if some < of {
            return Err(HssError::invalid(format!(
                "host_id_list: has {some} of the {of} hosts of the host group {}; a policy group holds for a host group as \
                 a whole: name all of its hosts, or take these out of it first (host-management/group/associate)",
                words::text(group, "name")
            )));
        }
        plan.groups.push(named(group));
    }
    Ok(plan)
}

async fn all(call: &Call, project: &str, target: &str, host_groups: &[Value]) -> Result<Plan, HssError> {
    let groups = by_id(host_groups);
    let query = vec![("project", project.to_owned())];
    let at = Offset { offset: 0, limit: MOST };
    let moves = |h: &Value| fate(h, &groups, target, project) == Fate::Moves;
    let moving = page::kept(&call.rest, "/hosts", &query, at, moves).await?;
    if moving.total > MOST {
        return Err(HssError::invalid(format!(
            "operate_all: {} hosts have no host group of their own, {MOST} at most are moved by one request; put them into \
             host groups first",
            moving.total
        )));
    }
    let others = host_groups.iter().filter(|g| !carrier::is(g) && carrier::policy_of(g, project) != target);
    Ok(Plan {
        groups: others.map(named).collect(),
        moved: moving.items.iter().map(|h| words::text(h, "id").to_owned()).collect(),
    })
}

/// `done` says how far it came.
async fn carry_out(
    call: &Call,
    plan: &Plan,
    policy: Option<&Value>,
    host_groups: &[Value],
    done: &mut Vec<String>,
) -> Result<(), HssError> {
    let id = policy.map(|p| words::text(p, "id").to_owned());
    for (group, name) in &plan.groups {
        let path = format!("/host-groups/{}", rest::part(group));
        let with = |g: &Value| Ok(json!({ "name": words::at(g, "name"), "policy_group": id }));
        call.rest.change(&path, with).await?;
        done.push(format!("host group {name}"));
    }
    if plan.moved.is_empty() {
        return Ok(());
    }
    let to = match policy {
        Some(policy) => Some(carrier::ensure(&call.rest, policy, host_groups).await?),
        None => None,
    };
    for hosts in plan.moved.chunks(AT_ONCE) {
        let body = json!({ "hosts": hosts, "group": to, "ungroup": to.is_none() });
        call.rest.post("/hosts/assign", &body).await?;
        done.push(format!("{} hosts from {} on", hosts.len(), hosts.first().map_or("", String::as_str)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "0190a3c5-7a2b-7c3d-8e4f-5a6b7c8d9e0f";

    #[test]
    fn hosts_go_the_way_of_their_groups() {
        let other = "0190a3c5-7a2b-7c3d-8e4f-000000000000";
        let host_groups = [
            json!({ "id": "web", "name": "web", "policy_group": null }),
            json!({ "id": "has", "name": "has", "policy_group": POLICY }),
            json!({ "id": "own", "name": format!("strict {other}"), "policy_group": other }),
        ];
        let groups = by_id(&host_groups);
        let of =
            |group: Value, target: &str| fate(&json!({ "id": "h", "group": group }), &groups, target, "0");
        assert_eq!(of(json!("web"), POLICY), Fate::ByGroup(&host_groups[0]));
        assert_eq!(of(json!("has"), POLICY), Fate::Stays);
        assert_eq!(of(json!("own"), POLICY), Fate::Moves);
        assert_eq!(of(Value::Null, POLICY), Fate::Moves);
        let default = default_group::id("0");
        assert_eq!(of(Value::Null, &default), Fate::Stays);
        assert_eq!(of(json!("web"), &default), Fate::Stays);
        assert_eq!(of(json!("has"), &default), Fate::ByGroup(&host_groups[1]));
        assert_eq!(of(json!("own"), &default), Fate::Moves);
    }
}
