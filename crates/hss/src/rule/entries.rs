// SPDX-License-Identifier: Apache-2.0
//! Entries of the whitelist that rules come to: written all, or none.

use super::{Rule, Source};
use crate::ask::MOST;
use crate::call::{Call, without_nulls};
use crate::error::HssError;
use crate::host;
use crate::words;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Entries of one request: as many as HSS takes agents of a rule.
const MOST_ENTRIES: usize = 1_000;

/// The entries that rules come to, for the projects of the alarms that they are made from.
pub(crate) async fn of(
    call: &Call,
    source: &Source,
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
    bodies(source, rules, alarms, &projects, remark)
}

/// Hosts of these ids and their projects; all must be there.
pub(crate) async fn projects(call: &Call, ids: &[&str]) -> Result<HashMap<String, String>, HssError> {
    let hosts = host::here(call, ids.iter().copied()).await?;
    let found: HashMap<String, String> =
        hosts.into_iter().map(|(id, h)| (id, words::text(&h, "project").to_owned())).collect();
    match ids.iter().find(|id| !found.contains_key(**id)) {
        Some(id) => Err(HssError::missing("agent", id)),
        None => Ok(found),
    }
}

fn bodies(
    source: &Source,
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
    let why = if remark.is_empty() {
        format!("whitelisted with {} {any}", source.thing)
    } else {
        remark.to_owned()
    };
    let mut out = Vec::new();
    for rule in rules {
        let mut add = |project: &str, host: Option<&String>, alarm: Option<&str>| {
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
                "description": why,
                "alarm": alarm,
            })));
        };
        if rule.hosts.is_empty() {
            firsts.iter().for_each(|(project, alarm)| add(project, None, Some(alarm)));
        }
        for host in &rule.hosts {
            let project = projects.get(host).ok_or_else(|| HssError::missing("agent", host))?;
            let alarm = firsts.iter().find(|(p, _)| p == project).map(|(_, id)| *id);
            add(project, Some(host), alarm);
        }
    }
    if out.len() > MOST_ENTRIES {
        return Err(HssError::invalid(format!(
            "{}: it comes to {} whitelist entries, {MOST_ENTRIES} at most in one request: fewer rules or \
             agents, or scope true",
            source.name,
            out.len()
        )));
    }
    Ok(out)
}

/// Adds entries: all of them, or none.
pub(crate) async fn add(call: &Call, entries: &[Value]) -> Result<Vec<String>, HssError> {
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
pub(crate) async fn taken_back(call: &Call, added: &[String], why: HssError) -> HssError {
    for (n, part) in added.chunks(MOST).enumerate() {
        if let Err(e) = call.rest.post("/whitelist/delete", &json!({ "entries": part })).await {
            return HssError::conflict(format!(
                "{}; the whitelist entries {} were added before that and stay: {}",
                why.message(),
                added.get(n * MOST..).unwrap_or_default().join(" "),
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
        let source = Source { name: "rules", fields: &[], everywhere_unsaid: true, thing: "event" };
        let of = |rules: &[Rule], remark: &str| {
            bodies(&source, rules, &alarms, &HashMap::from([("h".to_owned(), "p".to_owned())]), remark)
        };
        let made = of(&[rule(&[]), rule(&["h"])], "").unwrap();
        assert_eq!(
            made,
            [
                json!({ "project": "0", "scope": "project", "field": "file_path", "judge": "equal", "value": "/x",
                    "any_content": true, "description": "whitelisted with event a1", "alarm": "a1" }),
                json!({ "project": "p", "scope": "host", "scope_id": "h", "field": "file_path", "judge": "equal",
                    "value": "/x", "any_content": true, "description": "whitelisted with event a1" }),
            ]
        );
        assert_eq!(of(&[rule(&[])], "ours").unwrap()[0]["description"], "ours");
        assert!(of(&[rule(&["g"])], "").is_err_and(|e| e.is_missing()));
        let many: Vec<Rule> = (0..=MOST_ENTRIES).map(|_| rule(&[])).collect();
        assert!(of(&many, "").is_err_and(|e| e.message().contains("1001 whitelist entries")));
        assert_eq!(of(&many[1..], "").unwrap().len(), MOST_ENTRIES);
    }
}
