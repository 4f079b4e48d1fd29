// SPDX-License-Identifier: Apache-2.0
//! Whitelisting an event by its content, as HSS does where no rule is named: the file's hash, for the whole project. The
//! host that raised the event takes it in by itself; the entry here is what others go by, and what lists show.

use crate::ask::MOST;
use crate::call::Call;
use crate::error::HssError;
use crate::rule::entries;
use crate::words::{at, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An entry for each content among the alarms.
fn bodies(alarms: &[Value], remark: &str) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for alarm in alarms {
        let (project, sha256, class) = (text(alarm, "project"), text(alarm, "sha256"), text(alarm, "class"));
        if sha256.is_empty() || !seen.insert((project, sha256, class)) {
            continue;
        }
        let id = text(alarm, "id");
        out.push(json!({
            "project": project,
            "scope": "project",
            "field": "hash",
            "judge": "equal",
            "value": sha256,
            "class": class,
            "description": if remark.is_empty() { format!("whitelisted with event {id}") } else { remark.to_owned() },
            "alarm": id,
        }));
    }
    out
}

/// Adds them. Who may handle events and not set the whitelist gets none: the event's host alone lets the content be then,
/// which the API has always allowed them.
pub(super) async fn add(call: &Call, alarms: &[Value], remark: &str) -> Result<Vec<String>, HssError> {
    let mut wanted = Vec::new();
    for body in bodies(alarms, remark) {
        if made_from(call, text(&body, "alarm")).await?.is_empty() {
            wanted.push(body);
        }
    }
    match entries::add(call, &wanted).await {
        Err(e) if e.is_forbidden() => Ok(Vec::new()),
        other => other,
    }
}

/// Entries of contents that were made from an alarm.
async fn made_from(call: &Call, alarm: &str) -> Result<Vec<String>, HssError> {
    let mut query = call.scoped();
    query.extend([("alarm", alarm.to_owned()), ("field", "hash".to_owned()), ("limit", MOST.to_string())]);
    let found = call.rest.get("/whitelist", &query).await?;
    let items = at(&found, "items").as_array().into_iter().flatten();
    Ok(items.filter(|e| text(e, "scope") == "project").map(|e| text(e, "id").to_owned()).collect())
}

/// Takes away what was added for these alarms.
pub(super) async fn remove(call: &Call, alarms: &[Value]) -> Result<(), HssError> {
    let mut ids = Vec::new();
    for alarm in alarms {
        ids.extend(made_from(call, text(alarm, "id")).await?);
    }
    for part in ids.chunks(MOST) {
        call.rest.post("/whitelist/delete", &json!({ "entries": part })).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_for_a_content() {
        let alarm = |id: &str, sha256: Option<&str>| json!({ "id": id, "project": "0", "class": "worm", "sha256": sha256 });
        let made = bodies(&[alarm("a", Some("11")), alarm("b", Some("11")), alarm("c", None)], "");
        assert_eq!(
            made,
            [json!({ "project": "0", "scope": "project", "field": "hash", "judge": "equal", "value": "11",
                "class": "worm", "description": "whitelisted with event a", "alarm": "a" })]
        );
        assert_eq!(bodies(&[alarm("a", Some("11"))], "ours")[0]["description"], "ours");
    }
}
