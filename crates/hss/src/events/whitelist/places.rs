// SPDX-License-Identifier: Apache-2.0
//! Where a rule holds. One of HSS holds on many hosts, an entry of ours on one, on a group or in a project: entries
//! that differ in nothing but that are one rule, which each of their ids names.

use super::PATH;
use crate::alarm;
use crate::ask::MOST;
use crate::body::needed_in;
use crate::call::{Answer, Call, without_nulls};
use crate::error::HssError;
use crate::page;
use crate::rest::part;
use crate::rule::{self, entries};
use crate::words::{at, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Entries that are looked through for those of one rule.
const MOST_ENTRIES: u64 = 20_000;
/// Agents that HSS names of a rule.
const MOST_AGENTS: usize = 1_000;

/// What the entries of one rule have in common.
const SAME: [&str; 11] = [
    "project",
    "field",
    "judge",
    "value",
    "value_b64",
    "sha256",
    "any_content",
    "class",
    "description",
    "owner",
    "expires_at",
];

/// All entries of the rule that an id names; the named one is among them.
async fn rule(call: &Call, id: &str) -> Result<Vec<Value>, HssError> {
    let named = call.rest.get(&format!("{PATH}/{}", part(id)), &[]).await?;
    if named["expired"] == true || call.one_project().is_some_and(|p| p != text(&named, "project")) {
        return Err(HssError::missing("rule", id));
    }
    let mut query = vec![
        ("project", text(&named, "project").to_owned()),
        ("field", text(&named, "field").to_owned()),
        ("expired", "false".to_owned()),
    ];
    if let Some(class) = at(&named, "class").as_str() {
        query.push(("class", class.to_owned()));
    }
    let mut all = page::all(&call.rest, PATH, &query, MOST_ENTRIES).await?;
    all.retain(|other| is_same(&named, other));
    // Of very many it may not be among the newest.
    if all.iter().all(|e| at(e, "id") != at(&named, "id")) {
        all.push(named);
    }
    Ok(all)
}

fn is_same(one: &Value, other: &Value) -> bool {
    SAME.iter().all(|field| at(one, field) == at(other, field))
}

/// `list_alarm_white_list_host_detail`: where a rule holds.
pub(crate) async fn list_alarm_white_list_host_detail(call: &Call) -> Answer {
    let id = call.ask.short("rule_id", 36)?.ok_or_else(|| {
        HssError::invalid("rule_id: is missing: the hash of a rule in list_alarm_white_list that is an id")
    })?;
    let rule = rule(call, id).await?;
    let everywhere = rule.iter().any(|e| text(e, "scope") == "project");
    let of = |scope: &str| -> Vec<&str> {
        rule.iter().filter(|e| text(e, "scope") == scope).map(|e| text(e, "scope_id")).collect()
    };
    let groups = of("group");
    let mut agents: BTreeSet<String> = of("host").into_iter().map(str::to_owned).collect();
    for group in &groups {
        if everywhere || agents.len() > MOST_AGENTS {
            break;
        }
        let mut query = call.scoped();
        query.push(("group", (*group).to_owned()));
        let hosts = page::all(&call.rest, "/hosts", &query, MOST_AGENTS as u64 + 1).await?;
        agents.extend(hosts.iter().map(|h| text(h, "id").to_owned()));
    }
    let are_cut = !everywhere && agents.len() > MOST_AGENTS;
    let agents: Vec<String> = agents.into_iter().take(MOST_AGENTS).collect();
    Ok(json!({
        "rule_id": id,
        "scope": everywhere,
        "agent_ids": (!everywhere).then_some(agents),
        "lazaret_agents_are_cut": are_cut.then_some(true),
        "lazaret_groups": groups,
        "lazaret_rule_ids": rule.iter().map(|e| text(e, "id")).collect::<Vec<_>>(),
    })
    .into())
}

/// What is to be added and removed, that a rule hold in these places.
#[derive(Debug, PartialEq)]
struct Change {
    add: Vec<Value>,
    remove: Vec<String>,
    keep: Vec<String>,
}

/// `hosts` empty: everywhere in the project.
fn change(rule: &[Value], hosts: &[String]) -> Change {
    let stays = |e: &Value| {
        let (scope, id) = (text(e, "scope"), text(e, "scope_id"));
        if hosts.is_empty() { scope == "project" } else { scope == "host" && hosts.iter().any(|h| h == id) }
    };
    let (stay, go): (Vec<&Value>, Vec<&Value>) = rule.iter().partition(|e| stays(e));
    let ids = |all: &[&Value]| all.iter().map(|e| text(e, "id").to_owned()).collect::<Vec<_>>();
    let model = rule.first().unwrap_or(&Value::Null);
    let add = if hosts.is_empty() {
        if stay.is_empty() { vec![body(model, None)] } else { Vec::new() }
    } else {
        let there: BTreeSet<&str> = stay.iter().map(|e| text(e, "scope_id")).collect();
        hosts.iter().filter(|h| !there.contains(h.as_str())).map(|h| body(model, Some(h))).collect()
    };
    Change { add, remove: ids(&go), keep: ids(&stay) }
}

/// The same entry in another place.
fn body(entry: &Value, host: Option<&str>) -> Value {
    let exact = at(entry, "value_b64");
    let value = if exact.is_null() { at(entry, "value") } else { &Value::Null };
    without_nulls(json!({
        "project": at(entry, "project"),
        "scope": if host.is_some() { "host" } else { "project" },
        "scope_id": host,
        "field": at(entry, "field"),
        "judge": at(entry, "judge"),
        "value": value,
        "value_b64": exact,
        "sha256": at(entry, "sha256"),
        "any_content": at(entry, "any_content"),
        "class": at(entry, "class"),
        "description": at(entry, "description"),
        "owner": at(entry, "owner"),
        "expires_at": at(entry, "expires_at"),
        "alarm": at(entry, "alarm"),
    }))
}

/// `update_alarm_white_list_host`: lets a rule hold in other places. New entries come first: it never holds nowhere.
pub(crate) async fn update_alarm_white_list_host(call: &Call) -> Answer {
    let body = &call.ask.body;
    let id = needed_in(body, "", "rule_id", 36)?;
    let instances = body.get("instance_ids").and_then(Value::as_array).is_some_and(|l| !l.is_empty());
    if instances {
        return Err(HssError::invalid("instance_ids: Lazaret has no serverless instances"));
    }
    let hosts = rule::hosts("", body, true)?;
    if hosts.is_empty() && body.get("scope").and_then(Value::as_bool) != Some(true) {
        return Err(HssError::invalid(
            "agent_ids: is missing: name the agents that the rule is for, or send scope true for all",
        ));
    }
    let rule = with_alarms_that_are_there(call, rule(call, id).await?).await?;
    let project = rule.first().map_or("", |e| text(e, "project"));
    let ids: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let places = entries::projects(call, &ids).await?;
    if let Some((host, _)) = places.iter().find(|(_, p)| *p != project) {
        return Err(HssError::invalid(format!(
            "agent_ids: the agent {host} is of another project than the rule"
        )));
    }
    let change = change(&rule, &hosts);
    let added = entries::add(call, &change.add).await?;
    for (n, some) in change.remove.chunks(MOST).enumerate() {
        if let Err(e) = call.rest.post(&format!("{PATH}/delete"), &json!({ "entries": some })).await {
            if n > 0 {
                return Err(e.and(&format!(
                    "; the rule holds in its new places, and of {} old entries {} are gone: ask again",
                    change.remove.len(),
                    n * MOST
                )));
            }
            return Err(entries::taken_back(call, &added, e).await);
        }
    }
    let ids: Vec<&String> = change.keep.iter().chain(&added).collect();
    Ok(json!({ "lazaret_rule_ids": ids }).into())
}

/// An alarm that its time took away is named no more: the API would refuse it.
async fn with_alarms_that_are_there(call: &Call, mut rule: Vec<Value>) -> Result<Vec<Value>, HssError> {
    let Some(first) = rule.first_mut() else { return Ok(rule) };
    let id = text(first, "alarm").to_owned();
    if !id.is_empty() && alarm::by_id(call, &call.scoped(), [id.as_str()]).await?.is_empty() {
        first["alarm"] = Value::Null;
    }
    Ok(rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, scope: &str, place: Option<&str>) -> Value {
        json!({ "id": id, "project": "0", "scope": scope, "scope_id": place, "field": "file_path", "judge": "equal",
            "value": "/x", "sha256": null, "any_content": true, "class": null, "description": "d", "owner": "o",
            "expires_at": null, "alarm": null })
    }

    fn hosts(change: &Change) -> Vec<&str> {
        change.add.iter().map(|b| text(b, "scope_id")).collect()
    }

    #[test]
    fn from_everywhere_to_some_hosts_and_back() {
        let all = [entry("1", "project", None)];
        let some = change(&all, &["a".to_owned(), "b".to_owned()]);
        assert_eq!(
            (hosts(&some), &some.remove, &some.keep),
            (vec!["a", "b"], &vec!["1".to_owned()], &vec![])
        );
        assert_eq!(
            some.add[0],
            json!({ "project": "0", "scope": "host", "scope_id": "a", "field": "file_path", "judge": "equal",
                "value": "/x", "any_content": true, "description": "d", "owner": "o" })
        );
        let two = [entry("2", "host", Some("a")), entry("3", "host", Some("b"))];
        let back = change(&two, &[]);
        assert_eq!((text(&back.add[0], "scope"), back.remove.len()), ("project", 2));
        assert_eq!(change(&all, &[]), Change { add: vec![], remove: vec![], keep: vec!["1".to_owned()] });
    }

    #[test]
    fn hosts_that_stay_stay() {
        let two =
            [entry("2", "host", Some("a")), entry("3", "host", Some("b")), entry("4", "group", Some("a"))];
        let now = change(&two, &["b".to_owned(), "c".to_owned()]);
        assert_eq!(hosts(&now), ["c"]);
        assert_eq!((now.remove, now.keep), (vec!["2".to_owned(), "4".to_owned()], vec!["3".to_owned()]));
    }

    #[test]
    fn a_rule_is_what_differs_only_in_its_place() {
        let one = entry("1", "project", None);
        assert!(is_same(&one, &entry("2", "host", Some("a"))));
        let mut other = entry("2", "host", Some("a"));
        other["description"] = json!("e");
        assert!(!is_same(&one, &other));
    }

    #[test]
    fn bytes_go_as_they_are() {
        let mut raw = entry("1", "project", None);
        raw["value_b64"] = json!("/w==");
        let made = body(&raw, None);
        assert!(at(&made, "value").is_null() && text(&made, "value_b64") == "/w==");
    }
}
