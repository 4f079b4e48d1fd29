// SPDX-License-Identifier: Apache-2.0
//! What virus scans found: the list, and one row of it.

use super::alarms::{is_by_hand, malware_name};
use super::found;
use super::places;
use super::scan_of::{self, Spans};
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::host::by_id;
use crate::page;
use crate::rest::part;
use crate::words::{self, at, ms, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// `event_type` of what is found in a file.
const IN_A_FILE: i64 = 0;
/// Ways of handling that a result can have.
pub(super) const METHODS: [&str; 4] =
    ["mark_as_handled", "ignore", "add_to_alarm_whitelist", "isolate_and_kill"];

pub(crate) async fn list_anti_virus_result(call: &Call) -> Answer {
    let at = call.ask.offset()?;
    let Some(wanted) = found::wanted(call).await? else {
        return Ok(json!({ "total_num": 0, "data_list": [] }).into());
    };
    let keep = |alarm: &Value| wanted.beside.keeps(alarm);
    let listed = page::kept(&call.rest, "/alarms", &wanted.query, at, keep).await?;
    let rows = rows(call, &listed.items).await?;
    Ok(json!({ "total_num": listed.total, "data_list": rows }).into())
}

async fn rows(call: &Call, alarms: &[Value]) -> Result<Vec<Value>, HssError> {
    let hosts = by_id(call, alarms.iter().map(|a| text(a, "host.id"))).await?;
    let (spans, names) = scan_of::around(call, alarms).await?;
    let mut out = Vec::with_capacity(alarms.len());
    for alarm in alarms {
        let file = match call.rest.get(&format!("/alarms/{}", part(text(alarm, "id"))), &[]).await {
            Ok(whole) => at(&whole, "alarm.file").clone(),
            // Deleted since the list was read.
            Err(e) if e.is_missing() => Value::Null,
            Err(e) => return Err(e),
        };
        out.push(row(alarm, &file, &hosts, &spans, &names));
    }
    Ok(out)
}

/// Permissions and type as a number, as programs get them from `stat`; the API writes them in octal.
fn attributes(file: &Value) -> Value {
    i64::from_str_radix(text(file, "mode"), 8).map_or(Value::Null, |mode| json!(mode.to_string()))
}

/// Who had the file isolated.
fn isolate_tag(alarm: &Value) -> &'static str {
    if at(alarm, "isolated").is_null() {
        "none"
    } else if is_by_hand(alarm) {
        "manual"
    } else {
        "auto_isolate"
    }
}

/// A way of handling that HSS has; null for none.
pub(super) fn method(word: &str) -> Value {
    METHODS.iter().find(|m| **m == word).map_or(Value::Null, |m| json!(m))
}

fn row(
    alarm: &Value,
    file: &Value,
    hosts: &HashMap<String, Value>,
    spans: &Spans,
    names: &BTreeMap<String, String>,
) -> Value {
    let scan = spans.find(alarm);
    let host = places::full(at(alarm, "host"), hosts.get(text(alarm, "host.id")));
    json!({
        "result_id": alarm.get("id"),
        "malware_type": alarm.get("class_title"),
        "malware_name": malware_name(alarm),
        "severity": words::severity(text(alarm, "severity")),
        "task_id": scan,
        "task_name": scan.and_then(|s| names.get(s)),
        "file_info": {
            "file_path": alarm.get("path"),
            "file_hash": alarm.get("sha256"),
            "file_size": file.get("size"),
            "file_owner": file.get("uid").filter(|u| !u.is_null()).map(ToString::to_string),
            "file_attr": attributes(file),
            "file_mtime": ms(at(file, "mtime")),
            "lazaret_file_change_time": ms(at(file, "ctime")),
        },
        "resource_info": host,
        "event_type": IN_A_FILE,
        "occur_time": ms(at(alarm, "last")),
        "handle_status": alarm.get("handle_status"),
        "handle_method": method(text(alarm, "handled.by")),
        "memo": at(alarm, "handled.remark").as_str().filter(|t| !t.is_empty()),
        "operate_accept_list": alarm.get("operate_accept_list"),
        "operate_detail_list": [{ "keyword": alarm.get("path"), "hash": alarm.get("sha256") }],
        "isolate_tag": isolate_tag(alarm),
        "lazaret_first_time": ms(at(alarm, "at")),
        "lazaret_title": alarm.get("title"),
        "lazaret_class": alarm.get("class"),
        "lazaret_confidence": alarm.get("confidence"),
        "lazaret_decision": alarm.get("decision"),
        "lazaret_isolated": alarm.get("isolated"),
        "lazaret_handled_by": at(alarm, "handled.who").as_str().filter(|t| !t.is_empty()),
        "lazaret_path_b64": alarm.get("path_b64"),
        "lazaret_enterprise_project_id": alarm.get("project"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn an_alarm_as_a_result() {
        let alarm = json!({ "id": "a", "class": "miner", "class_title": "Miner", "severity": "critical", "path": "/tmp/x",
            "title": "Miner XMRig isolated and killed: /tmp/x (confidence 99)", "sha256": "ab", "isolated": "i",
            "at": "1970-01-01T00:00:00.001Z", "last": "1970-01-01T00:00:00.005Z", "handle_status": "handled",
            "handled": { "by": "isolate_and_kill", "who": "policy", "remark": "" },
            "operate_accept_list": ["do_not_isolate_or_kill"], "host": { "id": "h", "name": "db", "address": null } });
        let file = json!({ "size": 7, "uid": 0, "mode": "100755", "mtime": "1970-01-01T00:00:00.002000001Z",
            "ctime": "1970-01-01T00:00:00.003Z" });
        let row = without_nulls(row(&alarm, &file, &HashMap::new(), &Spans::default(), &BTreeMap::new()));
        let wanted = json!({ "file_path": "/tmp/x", "file_hash": "ab", "file_size": 7, "file_owner": "0",
            "file_attr": "33261", "file_mtime": 2, "lazaret_file_change_time": 3 });
        assert_eq!(row["file_info"], wanted);
        assert_eq!((&row["malware_name"], &row["severity"]), (&json!("XMRig"), &json!("Critical")));
        assert_eq!(
            (&row["handle_method"], &row["isolate_tag"]),
            (&json!("isolate_and_kill"), &json!("auto_isolate"))
        );
        assert_eq!((&row["occur_time"], &row["lazaret_first_time"]), (&json!(5), &json!(1)));
        assert_eq!(row["resource_info"]["agent_id"], "h");
        for absent in ["task_id", "task_name", "memo", "lazaret_path_b64"] {
            assert!(row.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn who_had_it_isolated() {
        let of = |isolated: Value, who: &str| {
            isolate_tag(&json!({ "isolated": isolated, "handled": { "by": "isolate_and_kill", "who": who } }))
        };
        assert_eq!(of(json!("i"), "policy"), "auto_isolate");
        assert_eq!(of(json!("i"), "ann"), "manual");
        assert_eq!(of(Value::Null, "ann"), "none");
        assert!(method("unhandle").is_null() && method("").is_null());
        assert!(attributes(&json!({ "mode": "" })).is_null());
    }
}
