// SPDX-License-Identifier: Apache-2.0
//! Entries of the whitelist that rules come to: written all, or none.

use super::rules::Rule;
use crate::ask::MOST;
use crate::call::{Call, without_nulls};
use crate::error::HssError;
use crate::words;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The entries that rules come to, for the projects of the alarms that they are made from.
pub(super) async fn of(
    call: &Call,
    rules: &[Rule],
    alarms: &[Value],
    remark: &str,
) -> Result<Vec<Value>, HssError> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<&str> = rules.iter().flat_map(|r| &r.hosts).map(String::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    let projects = projects(call, &ids).await?;
    bodies(rules, alarms, &projects, remark)
}

/// Hosts of these ids and their projects; all must be there.
pub(in crate::events) async fn projects(
    call: &Call,
    ids: &[&str],
) -> Result<HashMap<String, String>, HssError> {
    let mut found = HashMap::new();
    for part in ids.chunks(MOST) {
        if let Some(id) = part.iter().find(|id| id.contains(',')) {
            return Err(HssError::missing("agent", id));
        }
        let mut query = call.scoped();
        query.push(("ids", part.join(",")));
        query.push(("limit", MOST.to_string()));
        let page = call.rest.get("/hosts", &query).await?;
        let items = words::at(&page, "items").as_array().into_iter().flatten();
        let both = |h: &Value| (words::text(h, "id").to_owned(), words::text(h, "project").to_owned());
        found.extend(items.map(both));
    }
    match ids.iter().find(|id| !found.contains_key(**id)) {
        Some(id) => Err(HssError::missing("agent", id)),
        None => Ok(found),
    }
}

fn bodies(
    rules: &[Rule],
    alarms: &[Value],
    projects: &HashMap<String, String>,
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
    let any = firsts.first().map_or("", |(_, id)| *id);
    let mut out = Vec::new();
    for rule in rules {
        let mut add = |project: &str, host: Option<&String>, alarm: &str| {
            out.push(without_nulls(json!({
                "project": project,
                "scope": if host.is_some() { "host" } else { "project" },
                "scope_id": host,
                "field": rule.field,
                "judge": rule.judge,
                "value": rule.value,
                // As HSS has it: of whatever content.
                "any_content": rule.field == "file_path",
                "class": rule.class,
                "description": if remark.is_empty() { format!("whitelisted with event {alarm}") } else { remark.to_owned() },
                "alarm": alarm,
            })));
        };
        if rule.hosts.is_empty() {
            firsts.iter().for_each(|(project, alarm)| add(project, None, alarm));
        }
        for host in &rule.hosts {
            let project = projects.get(host).ok_or_else(|| HssError::missing("agent", host))?;
            let alarm = firsts.iter().find(|(p, _)| p == project).map_or(any, |(_, id)| *id);
            add(project, Some(host), alarm);
        }
    }
    if out.len() > MOST {
        return Err(HssError::invalid(format!(
            "event_white_rule_list: it comes to {} whitelist entries, {MOST} at most in one request: fewer rules or \
             agents, or scope true",
            out.len()
        )));
    }
    Ok(out)
}

/// Adds entries: all of them, or none.
pub(in crate::events) async fn add(call: &Call, entries: &[Value]) -> Result<Vec<String>, HssError> {
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
pub(in crate::events) async fn taken_back(call: &Call, added: &[String], why: HssError) -> HssError {
    for part in added.chunks(MOST) {
        if let Err(e) = call.rest.post("/whitelist/delete", &json!({ "entries": part })).await {
            return HssError::conflict(format!(
                "{}; the whitelist entries {} were added before that and stay: {}",
                why.message(),
                added.join(" "),
                e.message()
            ));
        }
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_rules() {
        let alarms = [json!({ "id": "a1", "project": "0" }), json!({ "id": "a2", "project": "0" })];
        let rule = |hosts: &[&str]| Rule {
            class: None,
            field: "file_path",
            judge: "equal",
            value: "/x".to_owned(),
            hosts: hosts.iter().map(|h| (*h).to_owned()).collect(),
        };
        let of = |rules: &[Rule], remark: &str| {
            bodies(rules, &alarms, &HashMap::from([("h".to_owned(), "p".to_owned())]), remark)
        };
        let made = of(&[rule(&[]), rule(&["h"])], "").unwrap();
        assert_eq!(
            made,
            [
                json!({ "project": "0", "scope": "project", "field": "file_path", "judge": "equal", "value": "/x",
                    "any_content": true, "description": "whitelisted with event a1", "alarm": "a1" }),
                json!({ "project": "p", "scope": "host", "scope_id": "h", "field": "file_path", "judge": "equal",
                    "value": "/x", "any_content": true, "description": "whitelisted with event a1", "alarm": "a1" }),
            ]
        );
        assert_eq!(of(&[rule(&[])], "ours").unwrap()[0]["description"], "ours");
        assert!(of(&[rule(&["g"])], "").is_err_and(|e| e.is_missing()));
        let many: Vec<Rule> = (0..101).map(|_| rule(&[])).collect();
        assert!(of(&many, "").is_err_and(|e| e.message().contains("101 whitelist entries")));
    }
}
