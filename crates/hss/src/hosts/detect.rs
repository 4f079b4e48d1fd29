// SPDX-License-Identifier: Apache-2.0
//! Looking at one host now: HSS looks for weak passwords so, which Lazaret does not; for malicious programs it does.

use crate::body::needed_word_in;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::page;
use crate::rest::part;
use crate::words::{at, ms, text};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What can be looked for, and by which scan of ours; HSS has the first.
const TYPES: [(&str, Option<&str>); 3] =
    [("pwd", None), ("lazaret_quick", Some("quick")), ("lazaret_full", Some("full"))];
const NO_PASSWORDS: &str = "Lazaret does not look for weak passwords";
/// Scans of a project.
const MOST_TASKS: u64 = 10_000;
/// The newest scans, which are looked through for the last one of a host in any case.
const NEWEST: usize = 20;
/// Scans that are looked through altogether.
const MOST_SCANS: usize = 200;
/// Newest orders to the host, which tell further scans of it.
const MOST_ORDERS: u64 = 1_000;
/// Hosts of a scan.
const MOST_HOSTS: u64 = 100_000;

/// The host, in the projects that are asked for.
async fn host(call: &Call) -> Result<Value, HssError> {
    let id = call.ask.part("host_id");
    if !(1..=128).contains(&id.len()) {
        return Err(HssError::invalid("host_id: 1 to 128 characters"));
    }
    let found = call.rest.get(&format!("/hosts/{}", part(id)), &[]).await?;
    let host = at(&found, "host");
    if call.one_project().is_some_and(|p| p != text(host, "project")) {
        return Err(HssError::missing("host", id));
    }
    Ok(host.clone())
}

/// `set_manual_detect`: begins a scan of the host.
pub(crate) async fn set_manual_detect(call: &Call) -> Answer {
    let kind = needed_word_in(&call.ask.body, "", "type", &TYPES)?;
    let host = host(call).await?;
    let kind = kind.ok_or_else(|| {
        HssError::invalid(format!(
            "type: {NO_PASSWORDS}; lazaret_quick and lazaret_full look for malicious programs, as \
             create_anti_virus_task does"
        ))
    })?;
    let task = call.rest.post("/scan-tasks", &scan(&host, kind)).await?;
    Ok(json!({ "lazaret_task_id": text(&task, "id") }).into())
}

fn scan(host: &Value, kind: &str) -> Value {
    json!({
        "project": text(host, "project"),
        "name": format!("Manual {kind} scan"),
        // Whoever looks wants to see; what is done about it is decided afterwards.
        "settings": { "kind": kind, "hosts": [text(host, "id")], "spread_minutes": 0, "automatic": false },
    })
}

/// `show_scan_status`: of the last scan that the host was part of.
pub(crate) async fn show_scan_status(call: &Call) -> Answer {
    let kind = call.ask.word("type", &TYPES)?;
    let host = host(call).await?;
    if kind == Some(None) {
        return Ok(json!({ "scan_status": "neverscan", "lazaret_reason": NO_PASSWORDS }).into());
    }
    let id = text(&host, "id");
    let query = vec![("project", text(&host, "project").to_owned())];
    let mut tasks = page::all(&call.rest, "/scan-tasks", &query, MOST_TASKS).await?;
    tasks.retain(|t| kind.flatten().is_none_or(|k| k == text(t, "kind")));
    let query = vec![("host", id.to_owned()), ("verb", "scan".to_owned())];
    let orders = page::all(&call.rest, "/commands", &query, MOST_ORDERS).await?;
    for task in candidates(&tasks, &orders) {
        if let Some(row) = of_host(call, task, id).await? {
            return Ok(status(&row, task, call.rest.inside().now_ms()).into());
        }
    }
    Ok(json!({ "scan_status": "neverscan" }).into())
}

/// Scans that the host may have been part of, newest first: the newest, those that run, as who waits for a turn has no
/// order yet, and those that it had an order of.
fn candidates<'a>(tasks: &'a [Value], orders: &[Value]) -> Vec<&'a str> {
    let ordered: BTreeSet<&str> = orders.iter().map(|c| text(c, "task")).collect();
    let may = |(n, t): &(usize, &Value)| {
        *n < NEWEST || text(t, "task_status") != "finish" || ordered.contains(text(t, "id"))
    };
    tasks.iter().enumerate().filter(may).map(|(_, t)| text(t, "id")).take(MOST_SCANS).collect()
}

/// How the host stands in a scan.
async fn of_host(call: &Call, task: &str, host: &str) -> Result<Option<Value>, HssError> {
    let mut found = None;
    let path = format!("/scan-tasks/{}/hosts", part(task));
    let everybody = Vec::new();
    let all = page::each(&call.rest, &path, &everybody, MOST_HOSTS, |row| {
        if text(row, "host.id") == host {
            found = Some(row.clone());
        }
        found.is_none()
    });
    all.await?;
    Ok(found)
}

fn status(row: &Value, task: &str, now_ms: i64) -> Value {
    let began = at(row, "started_at").as_str().or(at(row, "begins_at").as_str());
    let began_ms = began.and_then(|t| t.parse::<Timestamp>().ok()).map_or(now_ms, |t| t.as_millisecond());
    let word = match text(row, "host_task_status") {
        "success" => "scaned",
        "fail" | "cancel" => "failed",
        _ => match now_ms.saturating_sub(began_ms) / 60_000 {
            60.. => "longscanning",
            30..60 => "over_time",
            _ => "scanning",
        },
    };
    let reason = text(row, "fail_reason");
    json!({
        "scan_status": word,
        "scaned_time": ms(at(row, "finished_at")),
        "lazaret_task_id": task,
        "lazaret_status": text(row, "host_task_status"),
        "lazaret_reason": Some(reason).filter(|r| !r.is_empty()),
        "lazaret_virus_num": at(row, "virus_num"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_scans_stand() {
        let now = 2 * 3_600_000;
        for (state, began, word) in [
            ("scanning", "1970-01-01T01:50:00Z", "scanning"),
            ("waiting", "1970-01-01T01:30:00Z", "over_time"),
            ("paused", "1970-01-01T01:00:00Z", "longscanning"),
            ("success", "1970-01-01T00:00:00Z", "scaned"),
            ("fail", "1970-01-01T00:00:00Z", "failed"),
            ("cancel", "1970-01-01T00:00:00Z", "failed"),
        ] {
            let row =
                json!({ "host_task_status": state, "begins_at": began, "started_at": null, "virus_num": 2 });
            assert_eq!(status(&row, "t", now)["scan_status"], word, "{state}");
        }
        let row = json!({ "host_task_status": "success", "finished_at": "1970-01-01T00:00:00.009Z" });
        assert_eq!(status(&row, "t", now)["scaned_time"], 9);
    }

    #[test]
    fn scans_of_which_the_host_may_be() {
        let state = |n: usize| if n == 30 { "scanning" } else { "finish" };
        let tasks: Vec<Value> =
            (0..40).map(|n| json!({ "id": n.to_string(), "task_status": state(n) })).collect();
        let found = candidates(&tasks, &[json!({ "task": "35" }), json!({ "task": "3" })]);
        assert_eq!(found.len(), NEWEST + 2);
        assert_eq!(&found[NEWEST - 1..], ["19", "30", "35"]);
    }

    #[test]
    fn a_scan_begins_at_once_and_only_looks() {
        let body = scan(&json!({ "id": "h", "project": "0" }), "quick");
        assert_eq!((&body["project"], &body["settings"]["hosts"]), (&json!("0"), &json!(["h"])));
        assert_eq!(
            (&body["settings"]["spread_minutes"], &body["settings"]["automatic"]),
            (&json!(0), &json!(false))
        );
    }
}
