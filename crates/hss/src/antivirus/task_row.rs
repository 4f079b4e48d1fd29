// SPDX-License-Identifier: Apache-2.0
//! A scan of the API as HSS has it.

use super::places;
use super::plan;
use super::statistic::is_running;
use crate::words::{self, at, ms, text};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Characters of a reason.
const REASON: usize = 512;

/// Hosts of a scan in a state.
pub(super) fn count(summary: &Value, state: &str) -> u64 {
    let all = at(summary, "by_state").as_array().into_iter().flatten();
    all.filter(|c| text(c, "word") == state).filter_map(|c| at(c, "count").as_u64()).sum()
}

/// Our states of a host in a scan that are one of HSS.
pub(super) const STATES: [(&str, &str); 4] =
    [("scanning", "waiting,scanning,paused"), ("success", "success"), ("fail", "fail"), ("cancel", "cancel")];

/// HSS's word for one of ours: what waits for its turn, or is paused, has not ended.
fn state(ours: &str) -> &'static str {
    STATES.iter().find(|(_, all)| all.split(',').any(|s| s == ours)).map_or("scanning", |(word, _)| *word)
}

/// What is known of a scan by the plan that it came from.
fn of_plan(scan: &Value, plans: &HashMap<String, Value>) -> (Value, Value) {
    let Some(id) = at(scan, "policy").as_str() else { return (json!("now"), Value::Null) };
    let Some(plan) = plans.get(id) else { return (Value::Null, Value::Null) };
    // As it is now, it tells nothing of a scan that began before it was changed.
    let is_same = match (ms(at(plan, "updated_at")).as_i64(), ms(at(scan, "created_at")).as_i64()) {
        (Some(changed), Some(began)) => changed <= began,
        _ => false,
    };
    if !is_same {
        return (Value::Null, Value::Null);
    }
    (plan::start_type(at(plan, "start")), plan::action(at(plan, "settings.automatic")))
}

/// A scan with its numbers (`GET /scan-tasks/{id}`) and the hosts of it that are named.
pub(super) fn row(summary: &Value, hosts: Vec<Value>, plans: &HashMap<String, Value>) -> Value {
    let scan = at(summary, "task");
    let (start_type, action) = of_plan(scan, plans);
    let (failed, cancelled) = (count(summary, "fail"), count(summary, "cancel"));
    json!({
        "task_id": scan.get("id"),
        "task_name": scan.get("name"),
        "scan_type": scan.get("kind"),
        "start_type": start_type,
        "action": action,
        "start_time": ms(at(scan, "created_at")),
        "task_status": if is_running(scan) { "scanning" } else { "finish" },
        "host_num": summary.get("host_num"),
        "success_host_num": count(summary, "success"),
        "fail_host_num": failed,
        "cancel_host_num": cancelled,
        "host_info_list": hosts,
        "rescan": !is_running(scan) && failed + cancelled > 0,
        "whether_paid_task": false,
        "lazaret_status": scan.get("task_status"),
        "lazaret_finish_time": ms(at(scan, "finished_at")),
        "lazaret_policy_id": scan.get("policy"),
        "lazaret_started_by": scan.get("started_by"),
        "lazaret_virus_num": summary.get("virus_num"),
        "lazaret_scan_file_num": summary.get("scan_file_num"),
        "lazaret_scan_progress": at(summary, "permille").as_u64().map(percent),
        "lazaret_enterprise_project_id": scan.get("project"),
    })
}

fn percent(permille: u64) -> String {
    format!("{}%", permille / 10)
}

/// One host of a scan; `host` is as the list of hosts has it.
pub(super) fn host_row(row: &Value, host: Option<&Value>, now: i64) -> Value {
    let mut fields = places::full(at(row, "host"), host);
    let ours = text(row, "host_task_status");
    let running = ms(at(row, "started_at")).as_i64().filter(|_| at(row, "finished_at").is_null());
    let duration =
        at(row, "run_duration_seconds").as_i64().or_else(|| running.map(|s| (now - s).max(0) / 1000));
    let reason: String = text(row, "fail_reason").chars().take(REASON).collect();
    let more = [
        ("start_time", ms(at(row, "started_at"))),
        ("run_duration", json!(duration)),
        ("scan_progress", json!(at(row, "permille").as_u64().map(percent))),
        ("virus_num", at(row, "virus_num").clone()),
        ("scan_file_num", at(row, "scan_file_num").clone()),
        ("host_task_status", json!(state(ours))),
        ("fail_reason", json!(Some(reason).filter(|r| !r.is_empty()))),
        ("deleted", json!(host.is_none_or(|h| at(h, "removed").as_bool().unwrap_or(false)))),
        // No quota is used up by a scan.
        ("whether_using_quota", json!(0)),
        ("lazaret_status", json!(ours)),
        ("lazaret_begin_time", ms(at(row, "begins_at"))),
        ("lazaret_errors", at(row, "errors").clone()),
    ];
    fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(fields)
}

/// The moment of a text as HSS's lists of scans take them, in UTC.
pub(super) fn moment(text: &str) -> Option<i64> {
    let at = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(at).ok().map(|t| t.as_millisecond())
}

/// When a scan began.
pub(super) fn began(scan: &Value) -> i64 {
    words::ms(words::at(scan, "created_at")).as_i64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn a_scan_with_its_numbers() {
        let summary = json!({ "host_num": 3, "virus_num": 2, "scan_file_num": 9, "permille": 995,
            "by_state": [{ "word": "success", "count": 1 }, { "word": "cancel", "count": 2 }],
            "task": { "id": "t", "name": "n", "kind": "full", "task_status": "finish", "policy": null,
                "created_at": "1970-01-01T00:00:00.005Z" } });
        let row = without_nulls(row(&summary, Vec::new(), &HashMap::new()));
        assert_eq!(
            (&row["task_status"], &row["rescan"], &row["cancel_host_num"]),
            (&json!("finish"), &json!(true), &json!(2))
        );
        assert_eq!((&row["start_type"], &row["start_time"]), (&json!("now"), &json!(5)));
        assert_eq!((&row["success_host_num"], &row["fail_host_num"]), (&json!(1), &json!(0)));
        assert_eq!(row["lazaret_scan_progress"], "99%");
        assert!(row.get("action").is_none(), "the API does not tell it of a scan");
    }

    #[test]
    fn what_a_plan_tells_of_its_scan() {
        let plan = |changed: i64| {
            let plan = json!({ "updated_at": words::rfc3339(changed), "start": { "start_type": "week" },
                "settings": { "automatic": true } });
            HashMap::from([("p".to_owned(), plan)])
        };
        let scan = json!({ "policy": "p", "created_at": words::rfc3339(5) });
        assert_eq!(of_plan(&scan, &plan(5)), (json!("period"), json!("auto")));
        assert_eq!(of_plan(&scan, &plan(6)), (Value::Null, Value::Null));
        assert_eq!(of_plan(&scan, &HashMap::new()), (Value::Null, Value::Null));
    }

    #[test]
    fn a_host_of_a_scan() {
        let row = json!({ "host": { "id": "h", "name": "db" }, "host_task_status": "waiting", "started_at": null,
            "finished_at": null, "run_duration_seconds": null, "permille": 0, "virus_num": 0, "scan_file_num": 0,
            "fail_reason": "" });
        let waits = without_nulls(host_row(&row, Some(&json!({ "id": "h", "removed": false })), 9_000));
        assert_eq!(
            (&waits["host_task_status"], &waits["lazaret_status"]),
            (&json!("scanning"), &json!("waiting"))
        );
        assert!(waits.get("run_duration").is_none() && waits.get("fail_reason").is_none());
        assert_eq!((&waits["deleted"], &waits["scan_progress"]), (&json!(false), &json!("0%")));
        let mut runs = row.clone();
        runs["started_at"] = json!("1970-01-01T00:00:05.000Z");
        runs["host_task_status"] = json!("paused");
        assert_eq!(host_row(&runs, None, 9_000)["run_duration"], 4);
        assert_eq!(host_row(&runs, None, 9_000)["deleted"], true);
        assert_eq!((state("cancel"), state("fail"), state("paused")), ("cancel", "fail", "scanning"));
    }

    #[test]
    fn moments() {
        assert_eq!(moment("2024-02-29 12:34:56"), Some(1_709_210_096_000));
        assert_eq!((moment("2024-02-30 12:34:56"), moment("1709210096000"), moment("")), (None, None, None));
    }
}
