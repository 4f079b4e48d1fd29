// SPDX-License-Identifier: Apache-2.0
//! An isolated file of the API as HSS has it.

use super::attributes;
use crate::events::event;
use crate::words::{self, at, ms, said, text};
use serde_json::{Value, json};

/// HSS's words, and ours that come nearest: failures are where the file is, or on its way as HSS would leave it.
pub(super) const STATUSES: [(&str, &[&str]); 4] = [
    ("isolated", &["isolated", "isolated_in_place", "restore_failed", "delete_failed", "deleting"]),
    ("restored", &["restored"]),
    ("isolating", &["isolating", "isolate_failed"]),
    ("restoring", &["restoring"]),
];

/// HSS's word for one of ours; null for what is deleted.
pub(super) fn status(ours: &str) -> Option<&'static str> {
    STATUSES.iter().find(|(_, all)| all.contains(&ours)).map(|(word, _)| *word)
}

/// As `IsolatedFileResponseInfo`.
pub(super) fn info(file: &Value, facts: &Value, host: Option<&Value>, alarm: Option<&Value>) -> Value {
    let none = Value::Null;
    let of_host = host.unwrap_or(&none);
    let known = !text(file, "host.name").is_empty();
    let source = text(file, "source");
    json!({
        "os_type": known.then_some("Linux"),
        "host_id": at(file, "host.id"),
        "host_name": said(at(file, "host.name")),
        "file_hash": at(file, "sha256"),
        "file_path": at(file, "path"),
        "file_attr": attributes(facts),
        "isolation_status": status(text(file, "status")),
        "private_ip": words::ip(at(of_host, "addresses"), true),
        "public_ip": words::ip(at(of_host, "addresses"), false),
        "asset_value": known.then(|| at(file, "host.importance")),
        "update_time": ms(at(file, "updated_at")),
        "agent_version": said(at(of_host, "agent_version")),
        "isolate_source": said(at(file, "source")),
        "event_name": said(at(file, "alarm_title")),
        "agent_event_info": alarm.map(|a| event_of(a, host)),
        "antivirus_result_info": (source == "antivirus").then(|| result(file, facts)),
        "lazaret_id": at(file, "id"),
        "lazaret_status": at(file, "status"),
        "lazaret_reason": said(at(file, "reason")),
        "lazaret_class": said(at(file, "class")),
        "lazaret_family": said(at(file, "family")),
        "lazaret_size": at(file, "size"),
        "lazaret_isolated_time": ms(at(file, "isolated_at")),
        "lazaret_path_b64": at(file, "path_b64"),
        "lazaret_project": at(file, "project"),
    })
}

/// The event that it was isolated for, as `IsolateEventResponseInfo`: an event with some more.
fn event_of(alarm: &Value, host: Option<&Value>) -> Value {
    let mut event = event::info(alarm, host);
    if let Some(event) = event.as_object_mut() {
        let more = [
            ("recent_time", ms(at(alarm, "last"))),
            ("confidence", at(alarm, "confidence").clone()),
            ("att_ck", at(alarm, "att_ck").clone()),
            ("memo", said(at(alarm, "handled.remark"))),
        ];
        event.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    event
}

/// What the scan found, as `AntivirusResultDetailInfo`.
fn result(file: &Value, facts: &Value) -> Value {
    json!({
        "result_id": at(file, "alarm"),
        "malware_name": said(at(file, "family")),
        "file_path": at(file, "path"),
        "file_hash": at(file, "sha256"),
        "file_size": at(file, "size"),
        "file_owner": at(facts, "uid").as_u64().map(|uid| uid.to_string()),
        "file_attr": attributes(facts),
        "file_mtime": ms(at(facts, "mtime")),
        "update_time": ms(at(file, "updated_at")),
        "agent_id": at(file, "host.id"),
        "lazaret_file_change_time": ms(at(facts, "ctime")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn words_of_hss_for_ours() {
        for (ours, theirs) in [
            ("isolated", Some("isolated")),
            ("isolated_in_place", Some("isolated")),
            ("restore_failed", Some("isolated")),
            ("delete_failed", Some("isolated")),
            ("isolating", Some("isolating")),
            ("isolate_failed", Some("isolating")),
            ("restoring", Some("restoring")),
            ("restored", Some("restored")),
            ("deleted", None),
        ] {
            assert_eq!(status(ours), theirs, "{ours}");
        }
    }

    #[test]
    fn a_file_with_what_is_known_of_it() {
        let file = json!({ "id": "i", "project": "0", "host": { "id": "h", "name": "db", "importance": "test" },
            "path": "/tmp/x", "sha256": "ab", "size": 12, "class": "miner", "family": "xmrig",
            "status": "restore_failed", "reason": "the folder is gone", "alarm": "a", "alarm_title": "Miner",
            "source": "antivirus", "isolated_at": "2026-01-01T00:00:00.000Z",
            "updated_at": "2026-01-01T00:00:01.000Z" });
        let facts = json!({ "uid": 33, "mode": "100755", "ctime": "2026-01-01T00:00:00.000000000Z" });
        let host = json!({ "agent_version": "1.2.0", "addresses": ["203.0.113.9"] });
        let alarm = json!({ "id": "a", "title": "Miner", "severity": "high", "host": { "id": "h", "name": "db" },
            "confidence": 97, "att_ck": "Impact", "last": "2026-01-01T00:00:00.000Z" });
        let shown = without_nulls(info(&file, &facts, Some(&host), Some(&alarm)));
        assert_eq!((text(&shown, "file_attr"), text(&shown, "isolation_status")), ("33261", "isolated"));
        assert_eq!(
            (text(&shown, "lazaret_status"), text(&shown, "lazaret_reason")),
            ("restore_failed", "the folder is gone")
        );
        assert_eq!((text(&shown, "public_ip"), text(&shown, "agent_version")), ("203.0.113.9", "1.2.0"));
        let found = at(&shown, "antivirus_result_info");
        assert!(
            at(found, "file_ctime").is_null() && at(found, "lazaret_file_change_time").is_i64(),
            "{found}"
        );
        let event = at(&shown, "agent_event_info");
        assert_eq!((text(event, "event_id"), text(event, "att_ck")), ("a", "Impact"));
        assert_eq!(
            (at(event, "confidence"), at(event, "recent_time")),
            (&json!(97), &json!(1_767_225_600_000_i64))
        );
        let result = at(&shown, "antivirus_result_info");
        assert_eq!((text(result, "file_owner"), text(result, "malware_name")), ("33", "xmrig"));
        assert!(at(result, "file_mtime").is_null());
    }

    #[test]
    fn a_file_of_a_host_that_is_gone() {
        let file =
            json!({ "id": "i", "host": { "id": "h", "name": "" }, "source": "event", "status": "isolated" });
        let shown = without_nulls(info(&file, &Value::Null, None, None));
        for field in ["os_type", "host_name", "asset_value", "file_attr", "antivirus_result_info"] {
            assert!(at(&shown, field).is_null(), "{field}");
        }
    }
}
