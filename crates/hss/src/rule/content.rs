// SPDX-License-Identifier: Apache-2.0
//! Whitelisting an alarm by its content, as HSS does where no rule is named: the file's hash, for the whole project. The
//! host that raised the alarm takes it in by itself; the entry here is what others go by, and what lists show.

use super::entries;
use crate::ask::MOST;
use crate::call::Call;
use crate::error::HssError;
use crate::words::{at, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Entries that an error names.
const NAMED: usize = 10;

/// What tells a content from others: the project, its hash and the class that it was found as.
pub(crate) fn of(alarm: &Value) -> Option<(&str, &str, &str)> {
    let (project, sha256, class) = (text(alarm, "project"), text(alarm, "sha256"), text(alarm, "class"));
    (!sha256.is_empty()).then_some((project, sha256, class))
}

/// An entry for each content among the alarms.
fn bodies(alarms: &[&Value], thing: &str, remark: &str) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for alarm in alarms {
        let Some(content) = of(alarm).filter(|c| seen.insert(*c)) else { continue };
        let (project, sha256, class) = content;
        let id = text(alarm, "id");
        let why =
            if remark.is_empty() { format!("whitelisted with {thing} {id}") } else { remark.to_owned() };
        out.push(json!({
            "project": project,
            "scope": "project",
            "field": "hash",
            "judge": "equal",
            "value": sha256,
            "class": class,
            "description": why,
            "alarm": id,
        }));
    }
    out
}

/// Adds them. Who may handle alarms and not set the whitelist of their project gets none: the alarm's host alone lets the
/// content be then, which the API has always allowed them. The entries, and the projects that got none.
pub(super) async fn add(
    call: &Call,
    alarms: &[&Value],
    thing: &str,
    remark: &str,
) -> Result<(Vec<String>, BTreeSet<String>), HssError> {
    let (mut added, mut without) = (Vec::new(), BTreeSet::new());
    for body in bodies(alarms, thing, remark) {
        let project = text(&body, "project");
        if without.contains(project) {
            continue;
        }
        let done = match made_from(call, text(&body, "alarm")).await {
            Ok(before) if !before.is_empty() => continue,
            Ok(_) => entries::add(call, std::slice::from_ref(&body)).await,
            Err(e) => Err(e),
        };
        match done {
            Ok(more) => added.extend(more),
            // Of a project that they may not set the API has none, where they may set another.
            Err(e) if e.is_forbidden() || e.is_missing() => {
                without.insert(project.to_owned());
            }
            Err(e) => return Err(entries::taken_back(call, &added, e).await),
        }
    }
    Ok((added, without))
}

/// Entries of contents that were made from an alarm.
async fn made_from(call: &Call, alarm: &str) -> Result<Vec<Value>, HssError> {
    let mut query = call.scoped();
    query.extend([("alarm", alarm.to_owned()), ("field", "hash".to_owned()), ("limit", MOST.to_string())]);
    let found = call.rest.get("/whitelist", &query).await?;
    let items = at(&found, "items").as_array().into_iter().flatten();
    Ok(items.filter(|e| is_of_content(e)).cloned().collect())
}

/// Whether an entry is one of those that handling makes.
pub(crate) fn is_of_content(entry: &Value) -> bool {
    text(entry, "field") == "hash" && text(entry, "scope") == "project" && !text(entry, "alarm").is_empty()
}

/// What was added for these alarms.
pub(super) async fn of_alarms(call: &Call, alarms: &[Value]) -> Result<Vec<Value>, HssError> {
    let mut out = Vec::new();
    for alarm in alarms {
        out.extend(made_from(call, text(alarm, "id")).await?);
    }
    Ok(out)
}

/// Takes entries out, of each project for itself: who may set one may not set another. An error says which stay.
pub(super) async fn take_out(call: &Call, entries: &[&Value]) -> Result<(), HssError> {
    let mut projects: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for entry in entries {
        projects.entry(text(entry, "project")).or_default().push(text(entry, "id"));
    }
    let (mut stay, mut why) = (Vec::new(), None);
    for part in projects.values().flat_map(|ids| ids.chunks(MOST)) {
        if let Err(e) = call.rest.post("/whitelist/delete", &json!({ "entries": part })).await {
            stay.extend_from_slice(part);
            why.get_or_insert(e);
        }
    }
    match why {
        Some(e) => Err(e.and(&stays(&stay))),
        None => Ok(()),
    }
}

fn stays(ids: &[&str]) -> String {
    let some: Vec<&str> = ids.iter().copied().take(NAMED).collect();
    let more = match ids.len() {
        n if n > NAMED => format!(" and {} more", n - NAMED),
        _ => String::new(),
    };
    format!(
        "; whitelist entries that stay, and let their content be: {}{more}; remove_alarm_white_list takes them out, for who \
         may set the whitelist",
        some.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_for_a_content() {
        let alarm = |id: &str, sha256: Option<&str>| json!({ "id": id, "project": "0", "class": "worm", "sha256": sha256 });
        let (a, b, c) = (alarm("a", Some("11")), alarm("b", Some("11")), alarm("c", None));
        let made = bodies(&[&a, &b, &c], "event", "");
        assert_eq!(
            made,
            [json!({ "project": "0", "scope": "project", "field": "hash", "judge": "equal", "value": "11",
                "class": "worm", "description": "whitelisted with event a", "alarm": "a" })]
        );
        assert_eq!(bodies(&[&a], "event", "ours")[0]["description"], "ours");
    }

    #[test]
    fn entries_that_handling_makes() {
        let entry =
            |scope: &str, alarm: Option<&str>| json!({ "field": "hash", "scope": scope, "alarm": alarm });
        assert!(is_of_content(&entry("project", Some("a"))));
        assert!(!is_of_content(&entry("project", None)) && !is_of_content(&entry("host", Some("a"))));
    }

    #[test]
    fn what_stays_is_named() {
        assert!(stays(&["a", "b"]).contains("be: a b; remove_alarm_white_list"));
        assert!(stays(&["x"; 12]).contains("x and 2 more; "));
    }
}
