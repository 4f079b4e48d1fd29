// SPDX-License-Identifier: Apache-2.0
//! `event_white_rules`: paths that are to be no result from now on, as entries of the whitelist.

use super::act::WHITELISTS;
use super::body;
use super::places::by_id;
use crate::ask::{MOST, needed_in, one_of};
use crate::call::{Call, without_nulls};
use crate::error::HssError;
use crate::words;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Numbers that HSS has for a rule's kind of events.
const EVENT_TYPES: [i64; 40] = [
    1001, 1002, 1003, 1004, 1005, 1006, 1010, 1011, 1012, 1015, 1016, 1017, 2001, 2012, 2047, 2048, 2049,
    3002, 3003, 3004, 3005, 3007, 3015, 3018, 3027, 3029, 3030, 3031, 3036, 4002, 4004, 4006, 4014, 4020,
    6002, 6003, 13_001, 13_002, 13_003, 13_004,
];
const JUDGES: [(&str, &str); 2] = [("equal", "equal"), ("contain", "contain")];
/// Characters of a path.
const PATH: usize = 4096;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    class: Option<&'static str>,
    judge: &'static str,
    value: String,
    /// Empty: the whole project.
    hosts: Vec<String>,
}

/// The rules of a body.
pub(super) fn read(asked: &Value, verb: &str) -> Result<Vec<Rule>, HssError> {
    let list = asked.get("event_white_rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !list.is_empty() && verb != WHITELISTS {
        return Err(HssError::invalid(format!(
            "event_white_rules: they go with operate_type {WHITELISTS} alone"
        )));
    }
    let one = |(i, rule): (usize, &Value)| one(&format!("event_white_rules[{i}]."), rule);
    list.iter().enumerate().map(one).collect()
}

fn one(place: &str, rule: &Value) -> Result<Rule, HssError> {
    let wrong = |name: &str, what: &str| HssError::invalid(format!("{place}{name}: {what}"));
    one_of(&format!("{place}field_key"), needed_in(rule, place, "field_key", 64)?, &[("file_path", ())])?;
    let judge = one_of(&format!("{place}judge_type"), needed_in(rule, place, "judge_type", 64)?, &JUDGES)?;
    let value = needed_in(rule, place, "field_value", PATH)?;
    // The hosts would refuse these: they are refused before anything is written.
    if judge == "equal" && !value.starts_with('/') {
        return Err(wrong("field_value", "must be an absolute path"));
    }
    if judge == "contain" && value.len() < 3 {
        return Err(wrong("field_value", "for contain at least 3 bytes, or it matches nearly everything"));
    }
    let number = rule.get("event_type").and_then(Value::as_i64);
    if number.is_some_and(|n| !EVENT_TYPES.contains(&n)) {
        return Err(wrong("event_type", "is no type of events that HSS has"));
    }
    let class = number.map(|n| words::classes_of_type(n).first().copied());
    let (agents, instances) = (body::ids(rule, "agent_ids")?, body::ids(rule, "instance_ids")?);
    let (agents, instances) = (agents.unwrap_or_default(), instances.unwrap_or_default());
    let everywhere = rule.get("scope").and_then(Value::as_bool).unwrap_or(false);
    match (everywhere, agents.is_empty(), instances.is_empty()) {
        (true, false, _) => {
            Err(wrong("agent_ids", "with scope true the rule is for all hosts: one or the other"))
        }
        (false, true, true) => {
            Err(wrong("agent_ids", "is missing; without scope true name the agents that the rule is for"))
        }
        (false, true, false) => Err(wrong("instance_ids", "Lazaret has no serverless instances")),
        // What is told to be whitelisted must be it.
        _ if class == Some(None) => {
            Err(wrong("event_type", "Lazaret has no alarms of this type: there is nothing to whitelist"))
        }
        _ => Ok(Rule {
            class: class.flatten(),
            judge,
            value: value.to_owned(),
            hosts: agents.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// The entries that rules come to, for the projects of the alarms that they are made from.
pub(super) async fn entries(
    call: &Call,
    rules: &[Rule],
    alarms: &[Value],
    remark: &str,
) -> Result<Vec<Value>, HssError> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let mut hosts =
        by_id(call, rules.iter().flat_map(|r| &r.hosts).map(String::as_str).collect::<Vec<_>>()).await?;
    // Else an entry would come into a project that was not asked for.
    hosts.retain(|_, host| call.one_project().is_none_or(|p| p == words::text(host, "project")));
    bodies(rules, alarms, &hosts, remark)
}

fn bodies(
    rules: &[Rule],
    alarms: &[Value],
    hosts: &HashMap<String, Value>,
    remark: &str,
) -> Result<Vec<Value>, HssError> {
    // The first alarm of each project.
    let mut firsts: Vec<(&str, &str)> = Vec::new();
    for alarm in alarms {
        let project = words::text(alarm, "project");
        if firsts.iter().all(|(p, _)| *p != project) {
            firsts.push((project, words::text(alarm, "id")));
        }
    }
    let mut out = Vec::new();
    for rule in rules {
        let mut add = |project: &str, host: Option<&str>, alarm: Option<&str>| {
            let why = if remark.is_empty() { "whitelisted with a result of a virus scan" } else { remark };
            out.push(without_nulls(json!({
                "project": project,
                "scope": if host.is_some() { "host" } else { "project" },
                "scope_id": host,
                "field": "file_path",
                "judge": rule.judge,
                "value": rule.value,
                // As HSS has it: of whatever content.
                "any_content": true,
                "class": rule.class,
                "description": why,
                "alarm": alarm,
            })));
        };
        if rule.hosts.is_empty() {
            firsts.iter().for_each(|(project, alarm)| add(project, None, Some(alarm)));
        }
        for id in &rule.hosts {
            let host = hosts.get(id).ok_or_else(|| HssError::missing("agent", id))?;
            let project = words::text(host, "project");
            let alarm = firsts.iter().find(|(p, _)| *p == project).map(|(_, alarm)| *alarm);
            add(project, Some(id), alarm);
        }
    }
    if out.len() > MOST {
        return Err(HssError::invalid(format!(
            "event_white_rules: they come to {} whitelist entries, {MOST} at most in one request: fewer rules or agents, \
             or scope true",
            out.len()
        )));
    }
    Ok(out)
}

/// Adds entries: all of them, or none.
pub(super) async fn add(call: &Call, entries: &[Value]) -> Result<Vec<String>, HssError> {
    let mut added = Vec::new();
    for entry in entries {
        match call.rest.post("/whitelist", entry).await {
            Ok(answer) => added.push(words::text(&answer, "entry.id").to_owned()),
            Err(e) => return Err(taken_back(call, &added, e).await),
        }
    }
    Ok(added)
}

/// Removes what was added before something failed; the failure, which says where that did not succeed.
pub(super) async fn taken_back(call: &Call, added: &[String], why: HssError) -> HssError {
    if added.is_empty() {
        return why;
    }
    match call.rest.post("/whitelist/delete", &json!({ "entries": added })).await {
        Ok(_) => why,
        Err(e) => HssError::conflict(format!(
            "{}; the whitelist entries {} were added before that and stay: {}",
            why.message(),
            added.join(" "),
            e.message()
        )),
    }
}

#[cfg(test)]
mod tests;
