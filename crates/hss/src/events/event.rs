// SPDX-License-Identifier: Apache-2.0
//! An alarm of the API as an event of HSS.

use crate::host as hosts;
use crate::words::{self, at, ms, said, text};
use serde_json::{Value, json};

/// Ways of handling that an event can have.
const METHODS: [&str; 5] =
    ["mark_as_handled", "ignore", "add_to_alarm_whitelist", "add_to_login_whitelist", "isolate_and_kill"];

/// How an alarm was handled; null for a word that HSS has not.
pub(super) fn handle_method(alarm: &Value) -> Value {
    Some(text(alarm, "handled.by")).filter(|by| METHODS.contains(by)).map_or(Value::Null, Value::from)
}

/// Whether an alarm was there at a moment: from when it was first seen until it was last.
pub(super) fn occurred(alarm: &Value, moment: i64) -> bool {
    let (Some(first), Some(last)) = (ms(at(alarm, "at")).as_i64(), ms(at(alarm, "last")).as_i64()) else {
        return false;
    };
    (first..=last).contains(&moment)
}

/// An alarm as lists of the API have it, with its host, as `EventManagementResponseInfo`.
pub(super) fn info(alarm: &Value, host: Option<&Value>) -> Value {
    let none = Value::Null;
    let host = host.unwrap_or(&none);
    // Of a host whose row is gone the API has no name, and words that stand for nothing.
    let known = !text(alarm, "host.name").is_empty();
    let brief = |field: &str| if known { at(alarm, field).clone() } else { Value::Null };
    let addresses = if host.is_null() { at(alarm, "host.address") } else { at(host, "addresses") };
    let classed = !at(alarm, "class").is_null();
    let (os_name, os_version) = hosts::system(text(host, "os"));
    let os_type = known.then_some("Linux");
    let mut event = json!({
        "event_id": at(alarm, "id"),
        "event_class_id": at(alarm, "event_class_id"),
        "event_type": at(alarm, "event_type"),
        "event_name": at(alarm, "title"),
        "event_abstract": at(alarm, "title"),
        "severity": words::severity(text(alarm, "severity")),
        "container_name": at(alarm, "container"),
        "host_name": brief("host.name"),
        "host_id": at(alarm, "host.id"),
        "private_ip": words::ip(addresses, true),
        "public_ip": words::ip(addresses, false),
        "os_type": os_type,
        "host_status": Some(at(alarm, "host")).filter(|_| known).and_then(hosts::host_status),
        "agent_status": brief("host.status"),
        "protect_status": (!host.is_null()).then(|| hosts::open_or_closed(host)),
        "asset_value": brief("host.importance"),
        "attack_phase": at(alarm, "attack_phase"),
        "attack_tag": at(alarm, "attack_tag"),
        "occur_time": ms(at(alarm, "last")),
        "handle_status": at(alarm, "handle_status"),
        "handle_time": ms(at(alarm, "handled.at")),
        "handle_method": handle_method(alarm),
        "handler": said(at(alarm, "handled.remark")),
        "operate_accept_list": at(alarm, "operate_accept_list"),
        "event_count": at(alarm, "count"),
        "malware_info": classed.then(|| json!({
            "malware_type": at(alarm, "class_title"),
            "confidence": at(alarm, "confidence"),
        })),
        "resource_info": {
            "project_id": at(alarm, "project"),
            "enterprise_project_id": at(alarm, "project"),
            "vm_name": brief("host.name"),
            "vm_uuid": at(alarm, "host.id"),
            "container_id": at(alarm, "container"),
            "sys_arch": said(at(host, "arch")),
            "os_type": os_type,
            "os_name": os_name,
            "os_version": os_version,
        },
    });
    if let Some(event) = event.as_object_mut() {
        for (key, value) in parts(alarm, addresses).into_iter().chain(beside(alarm)) {
            event.insert(key.to_owned(), value);
        }
    }
    event
}

/// File, process and user, and what handling it asks back; nothing of an alarm that has none of them.
fn parts(alarm: &Value, addresses: &Value) -> Vec<(&'static str, Value)> {
    let (path, sha256) = (at(alarm, "path"), at(alarm, "sha256"));
    let (cmdline, program, uid) = (at(alarm, "cmdline"), at(alarm, "process_sha256"), at(alarm, "uid"));
    let mut out = Vec::new();
    if !path.is_null() || !sha256.is_null() {
        out.push((
            "file_info_list",
            json!([{ "file_path": path, "file_hash": sha256, "file_sha256": sha256 }]),
        ));
    }
    if !cmdline.is_null() || !program.is_null() {
        out.push((
            "process_info_list",
            json!([{
                "process_cmdline": cmdline,
                "process_uid": uid,
                "process_hash": program,
                "process_file_hash": program,
            }]),
        ));
    }
    if !uid.is_null() {
        out.push(("user_info_list", json!([{ "user_id": uid }])));
    }
    let first = |all: [&Value; 2]| all.into_iter().find(|v| !v.is_null()).cloned();
    if !at(alarm, "class").is_null() {
        out.push((
            "operate_detail_list",
            json!([{
                "agent_id": at(alarm, "host.id"),
                "file_hash": sha256,
                "file_path": path,
                "private_ip": words::ip(addresses, true),
                "keyword": first([path, cmdline]),
                "hash": first([sha256, program]),
            }]),
        ));
    }
    out
}

/// What HSS has no field for.
fn beside(alarm: &Value) -> Vec<(&'static str, Value)> {
    let list =
        |field: &str| Some(at(alarm, field)).filter(|l| l.as_array().is_some_and(|l| !l.is_empty())).cloned();
    vec![
        ("lazaret_first_time", ms(at(alarm, "at"))),
        ("lazaret_class", at(alarm, "class").clone()),
        ("lazaret_rating", at(alarm, "rating").clone()),
        ("lazaret_confidence", at(alarm, "confidence").clone()),
        ("lazaret_origin", at(alarm, "origin").clone()),
        ("lazaret_decision", at(alarm, "decision").clone()),
        ("lazaret_auto_block", at(alarm, "auto_block").clone()),
        ("lazaret_test", at(alarm, "test").clone()),
        ("lazaret_isolated", at(alarm, "isolated").clone()),
        ("lazaret_handled_by", said(at(alarm, "handled.who"))),
        ("lazaret_att_ck", at(alarm, "att_ck").clone()),
        ("lazaret_technique", at(alarm, "technique").clone()),
        ("lazaret_path_b64", at(alarm, "path_b64").clone()),
        ("lazaret_not_included", list("not_included").unwrap_or_default()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    fn alarm() -> Value {
        json!({
            "id": "a", "project": "0", "title": "Miner xmrig was refused", "severity": "critical", "class": "miner",
            "class_title": "Miner", "event_type": 1016, "event_class_id": "av_1016", "confidence": 97,
            "host": { "id": "h", "name": "db", "importance": "important", "status": "online", "address": "10.0.0.1" },
            "at": "2026-01-01T00:00:00.000Z", "last": "2026-01-01T00:00:05.000Z", "count": 3,
            "path": "/tmp/x", "sha256": "ab", "process_sha256": null, "cmdline": "sh x", "uid": 0, "container": null,
            "handle_status": "handled", "attack_tag": "attack_blocked", "not_included": [],
            "handled": { "by": "isolate_and_kill", "who": "policy", "at": "2026-01-01T00:00:06.000Z", "remark": "" },
        })
    }

    #[test]
    fn an_alarm_and_its_host() {
        let host = json!({ "addresses": ["10.0.0.1", "203.0.113.9"], "os": "Debian 13", "arch": "x86_64",
            "status": "online", "protection": { "state": "partial" }, "edition": { "edition": "enterprise" } });
        let event = without_nulls(info(&alarm(), Some(&host)));
        assert_eq!((text(&event, "severity"), text(&event, "host_status")), ("Critical", "ACTIVE"));
        assert_eq!((text(&event, "public_ip"), text(&event, "protect_status")), ("203.0.113.9", "opened"));
        assert_eq!(at(&event, "occur_time"), &json!(1_767_225_605_000_i64));
        assert_eq!(
            (text(&event, "handle_method"), text(&event, "lazaret_handled_by")),
            ("isolate_and_kill", "policy")
        );
        assert!(at(&event, "handler").is_null() && at(&event, "container_name").is_null());
        assert_eq!(at(&event, "operate_detail_list")[0]["agent_id"], "h");
        assert_eq!(text(&event, "resource_info.os_name"), "Debian");
    }

    #[test]
    fn nothing_is_said_of_a_host_that_is_gone() {
        let mut gone = alarm();
        gone["host"] = json!({ "id": "h", "name": "", "importance": "common", "status": "not_installed" });
        gone["class"] = Value::Null;
        let event = without_nulls(info(&gone, None));
        for field in
            ["host_name", "asset_value", "agent_status", "os_type", "malware_info", "operate_detail_list"]
        {
            assert!(at(&event, field).is_null(), "{field}");
        }
    }

    #[test]
    fn it_occurs_from_first_to_last() {
        let last = 1_767_225_605_000;
        assert!(occurred(&alarm(), last) && occurred(&alarm(), last - 5000));
        assert!(!occurred(&alarm(), last + 1) && !occurred(&alarm(), last - 5001));
    }
}
