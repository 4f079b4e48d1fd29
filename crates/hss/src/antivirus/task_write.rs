// SPDX-License-Identifier: Apache-2.0
//! Beginning scans, and taking them back.

use super::{fail, plan};
use crate::ask::Offset;
use crate::body;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::page;
use crate::rest::part;
use crate::words::{at, text};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// Characters of a scan's name; the API says how many it takes.
const NAME: usize = 255;
/// Hosts that a scan which is begun again can name.
const MOST: u64 = 1_000;
/// States of hosts that have not ended.
const UNFINISHED: &str = "waiting,scanning,paused";

fn path(scan: &str) -> String {
    format!("/scan-tasks/{}", part(scan))
}

/// What the API is asked to begin: the fields of the body, over those of the scan that is begun again.
fn new_scan(project: &str, asked: &Value, before: Option<&Value>) -> Result<Value, HssError> {
    let name = body::short_in(asked, "", "task_name", NAME)?.or_else(|| before.map(|b| text(b, "name")));
    let name = name.ok_or_else(|| body::lacking("task_name", "a scan needs a name"))?;
    let settings = plan::settings(&filled(asked, before), before.and_then(|b| b.get("settings")))?;
    Ok(json!({ "project": project, "name": name, "settings": settings }))
}

/// The body with the kind of the scan that is begun again, where it names none.
fn filled(asked: &Value, before: Option<&Value>) -> Value {
    let mut out = asked.as_object().cloned().unwrap_or_default();
    if let Some(before) = before {
        for (name, ours) in [("scan_type", "kind"), ("host_ids", "hosts")] {
            let given = out
                .get(name)
                .is_some_and(|v| v.as_str() != Some("") && v.as_array().is_none_or(|l| !l.is_empty()));
            if !given || out.get(name).is_some_and(Value::is_null) {
                out.insert(name.to_owned(), at(before, ours).clone());
            }
        }
    }
    Value::Object(out)
}

/// A scan of the projects that are asked for.
async fn scan(call: &Call, id: &str) -> Result<Value, HssError> {
    let found = call.rest.get(&path(id), &[]).await?;
    let scan = at(&found, "task");
    if call.one_project().is_some_and(|p| p != text(scan, "project")) {
        return Err(HssError::missing("scan", id));
    }
    Ok(scan.clone())
}

/// The hosts that it did not get through: all of them, or an error.
async fn left(call: &Call, id: &str) -> Result<Vec<Value>, HssError> {
    let query = vec![("state", "fail,cancel".to_owned())];
    let left = page::all(&call.rest, &format!("{}/hosts", path(id)), &query, MOST + 1).await?;
    if left.len() as u64 > MOST {
        return Err(HssError::invalid(format!(
            "task_id: the scan did not get through more than {MOST} hosts, which is what one scan takes: name some of them in \
             host_ids"
        )));
    }
    Ok(left)
}

/// Whether a body names hosts.
fn names_hosts(asked: &Value) -> bool {
    at(asked, "host_ids").as_array().is_some_and(|l| !l.is_empty())
}

/// A scan that is to be begun again: its name and kind, the hosts that it did not get through, and of the plan that it
/// came from the folders and file types.
async fn earlier(call: &Call, id: &str, names_hosts: bool) -> Result<(Value, Value), HssError> {
    let scan = &scan(call, id).await?;
    // Where the body names hosts, they are it.
    let left = if names_hosts { Vec::new() } else { left(call, id).await? };
    let hosts: Vec<&str> = left.iter().map(|h| text(h, "host.id")).collect();
    let mut settings = Map::new();
    if let Some(policy) = at(scan, "policy").as_str() {
        match call.rest.get(&format!("/scan-policies/{}", part(policy)), &[]).await {
            Ok(plan) => {
                for name in ["file_types", "include", "exclude", "spread_minutes"] {
                    settings.insert(name.to_owned(), at(&plan, &format!("settings.{name}")).clone());
                }
            }
            Err(e) if e.is_missing() => {}
            Err(e) => return Err(e),
        }
    }
    let before =
        json!({ "name": scan.get("name"), "kind": scan.get("kind"), "hosts": hosts, "settings": settings });
    Ok((before, at(scan, "policy").clone()))
}

pub(crate) async fn create_anti_virus_task(call: &Call) -> Answer {
    let asked = &call.ask.body;
    let (project, action) = (call.project()?, body::needed_word_in(asked, "", "action", &plan::ACTIONS)?);
    let (before, policy) = match body::short_in(asked, "", "task_id", body::ID)? {
        Some(id) => {
            let (before, policy) = earlier(call, id, names_hosts(asked)).await?;
            (Some(before), policy)
        }
        None => (None, Value::Null),
    };
    let mut new = new_scan(project, asked, before.as_ref())?;
    new["settings"]["automatic"] = json!(action);
    // Few hosts, each named: they begin at once, as with HSS.
    new["settings"]["spread_minutes"] = json!(0);
    let hosts: Vec<&str> =
        at(&new, "settings.hosts").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let reasons = fail::reasons(call, &hosts, text(&new, "settings.kind")).await?;
    let begun = call.rest.post("/scan-tasks", &new).await?;
    let answer = json!({
        "task_id": begun.get("id"),
        "policy_id": policy,
        "result": reasons.is_empty(),
        "fail_reasons": reasons,
    });
    Ok(answer.into())
}

/// Takes a scan back: on all hosts, or on some.
pub(crate) async fn switch_antivirus_task(call: &Call) -> Answer {
    let asked = &call.ask.body;
    let id = body::needed_in(asked, "", "task_id", body::ID)?;
    body::short_in(asked, "", "task_name", NAME)?;
    scan(call, id).await?;
    let commands = match body::ids(asked, "host_ids", body::ID)? {
        // A script whose list came out empty means no host, not all of them.
        Some(hosts) if hosts.is_empty() => {
            return Err(HssError::invalid(
                "host_ids: names no host: name some, or leave it out to take the whole scan back",
            ));
        }
        Some(hosts) => some(call, id, &hosts).await?,
        None => None,
    };
    let Some(commands) = commands else {
        call.rest.post_nothing(&format!("{}/cancel", path(id))).await?;
        return Ok(json!({}).into());
    };
    for (done, command) in commands.iter().enumerate() {
        if let Err(e) = call.rest.post_nothing(&format!("/commands/{}/cancel", part(command))).await {
            return Err(HssError::conflict(format!(
                "host_ids: taken back on {done} of {} hosts, then: {}",
                commands.len(),
                e.message()
            )));
        }
    }
    Ok(json!({}).into())
}

/// The commands of these hosts of a scan; `None`: they are all that have not ended.
async fn some(call: &Call, id: &str, hosts: &[&str]) -> Result<Option<Vec<String>>, HssError> {
    let query = vec![("state", UNFINISHED.to_owned())];
    let all = AtomicU64::new(0);
    let keep = |row: &Value| {
        all.fetch_add(1, Ordering::Relaxed);
        hosts.contains(&text(row, "host.id"))
    };
    let first = Offset { offset: 0, limit: MOST };
    let listed = page::kept(&call.rest, &format!("{}/hosts", path(id)), &query, first, keep).await?;
    if listed.total == all.load(Ordering::Relaxed) && is_in_all(&listed.items, hosts) {
        return Ok(None);
    }
    commands(&listed.items, hosts).map(Some)
}

/// Whether each of these hosts has a row: where one has none, or there are no rows, the whole scan is not meant.
fn is_in_all(rows: &[Value], hosts: &[&str]) -> bool {
    hosts.iter().all(|host| rows.iter().any(|r| text(r, "host.id") == *host))
}

/// Nothing is taken back unless all of it can be.
fn commands(rows: &[Value], hosts: &[&str]) -> Result<Vec<String>, HssError> {
    let mut out = Vec::with_capacity(hosts.len());
    for host in hosts {
        let row = rows.iter().find(|r| text(r, "host.id") == *host).ok_or_else(|| {
            HssError::conflict(format!(
                "host_ids: the scan has not got the host {host}, or has ended on it; nothing was changed"
            ))
        })?;
        match at(row, "command").as_str() {
            Some(command) => out.push(command.to_owned()),
            None => {
                return Err(HssError::conflict(format!(
                    "host_ids: the host {host} still waits for its turn and cannot be taken out alone: wait until it has \
                     begun, or leave host_ids out to take the whole scan back; nothing was changed"
                )));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_scan() {
        let body = json!({ "task_name": "n", "scan_type": "quick", "action": "auto", "host_ids": ["h"] });
        let new = new_scan("0", &body, None).unwrap();
        assert_eq!((&new["project"], &new["name"]), (&json!("0"), &json!("n")));
        assert_eq!((&new["settings"]["kind"], &new["settings"]["hosts"]), (&json!("quick"), &json!(["h"])));
        assert!(new_scan("0", &json!({}), None).unwrap_err().message().contains("task_name: is missing"));
        let none = json!({ "task_name": "n", "scan_type": "quick", "action": "auto" });
        assert!(new_scan("0", &none, None).unwrap_err().message().contains("host_ids: is missing"));
    }

    #[test]
    fn a_scan_that_is_begun_again() {
        let before = json!({ "name": "old", "kind": "custom", "hosts": ["a", "b"], "settings": { "include": ["/srv"] } });
        let again = new_scan("0", &json!({ "action": "manual", "host_ids": [] }), Some(&before)).unwrap();
        assert_eq!((&again["name"], &again["settings"]["kind"]), (&json!("old"), &json!("custom")));
        assert_eq!(
            (&again["settings"]["hosts"], &again["settings"]["include"]),
            (&json!(["a", "b"]), &json!(["/srv"]))
        );
        let one = json!({ "action": "manual", "host_ids": ["b"], "task_name": "new" });
        assert!(names_hosts(&one) && !names_hosts(&json!({ "host_ids": [] })) && !names_hosts(&json!({})));
        let again = new_scan("0", &one, Some(&before)).unwrap();
        assert_eq!((&again["name"], &again["settings"]["hosts"]), (&json!("new"), &json!(["b"])));
    }

    #[test]
    fn only_what_has_begun_is_taken_back_alone() {
        let rows = [
            json!({ "host": { "id": "a" }, "command": "c" }),
            json!({ "host": { "id": "b" }, "command": null }),
        ];
        assert_eq!(commands(&rows, &["a"]).unwrap(), ["c"]);
        assert!(commands(&rows, &["a", "b"]).unwrap_err().message().contains("b still waits"));
        assert!(commands(&rows, &["z"]).unwrap_err().message().contains("the host z"));
        assert!(is_in_all(&rows, &["b", "a"]));
        assert!(!is_in_all(&rows, &["a", "b", "z"]) && !is_in_all(&[], &["a"]), "not the whole scan");
    }
}
