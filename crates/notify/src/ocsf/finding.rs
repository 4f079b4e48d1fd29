// SPDX-License-Identifier: Apache-2.0
//! An alarm as a Detection Finding (2004): created, updated, closed.

use super::Teller;
use super::parts::{self, device, file, head, lean, malware, metadata, process};
use crate::notice::AlarmDetail;
use crate::text::shown;
use lazaret_proto::v1;
use lazaret_store::{AlarmRow, HostRow, NoticeRow};
use serde_json::{Value, json};

const CLASS: (u32, &str) = (2004, "Detection Finding");
const CATEGORY: (u32, &str) = (2, "Findings");

pub(super) fn event(
    teller: Teller<'_>,
    n: &NoticeRow,
    row: &AlarmRow,
    alarm: &v1::Alarm,
    host: Option<&HostRow>,
    detail: &AlarmDetail,
) -> Value {
    let activity = match n.word.as_str() {
        "new" => (1, "Create"),
        "handled" => (3, "Close"),
        _ => (2, "Update"),
    };
    let mut event = head(CLASS, CATEGORY, activity, n);
    let (status_id, status) = status(detail);
    let (disposition_id, disposition) = disposition(row);
    let (action_id, action) = action(&row.decision);
    let title = shown(&row.title, 512);
    let verdict = alarm.verdict.as_ref();
    let mut evidence = json!({ "device": device(&row.host, host) });
    if !row.path.is_empty() {
        evidence["file"] = file(&row.path, &row.sha256, alarm.file.as_ref());
    }
    if let Some(p) = alarm.chain.first() {
        evidence["process"] = process(p);
    }
    let rest = json!({
        "metadata": metadata(teller, n),
        "message": title,
        "status_id": status_id,
        "status": status,
        "status_detail": detail.by,
        "comment": shown(&detail.remark, 1024),
        "is_alert": true,
        "count": detail.count.max(1),
        "confidence_score": (row.confidence >= 0).then_some(row.confidence),
        "confidence_id": confidence(&row.rating).map(|c| c.0),
        "confidence": confidence(&row.rating).map(|c| c.1),
        "finding_info": {
            "uid": row.id,
            "title": title,
            "desc": shown(&alarm.reasons.join("; "), 1024),
            "types": if row.class.is_empty() { json!([]) } else { json!([row.class]) },
            "created_time": row.at_ms,
            "first_seen_time": row.at_ms,
            "last_seen_time": row.last_ms,
            "modified_time": n.at_ms,
            "analytic": verdict.and_then(analytic),
        },
        "malware": malware(&row.class, verdict.map_or("", |v| v.family.as_str()), &row.path),
        "evidences": [evidence],
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "unmapped": {
            "lazaret_decision": row.decision,
            "lazaret_origin": row.origin,
            "lazaret_rating": row.rating,
            "lazaret_event": n.word,
            "lazaret_isolated": row.isolated,
            "lazaret_test": row.test,
            "lazaret_handled_by": shown(&detail.who, 128),
        },
    });
    if let Value::Object(rest) = rest {
        event.extend(rest);
    }
    lean(Value::Object(event))
}

/// What weighed most.
fn analytic(verdict: &v1::Verdict) -> Option<Value> {
    let most = verdict.evidence.iter().max_by(|a, b| a.weight.total_cmp(&b.weight))?;
    let (type_id, kind) = match most.kind.as_str() {
        "rule" => (1, "Rule"),
        "hash" | "similarity" => (5, "Fingerprinting"),
        _ => (99, "Other"),
    };
    Some(json!({
        "uid": shown(&most.id, 200),
        "name": shown(&most.id, 200),
        "type_id": type_id,
        "type": kind,
        "version": shown(&verdict.content_version, 64),
    }))
}

fn status(detail: &AlarmDetail) -> (u32, &'static str) {
    if detail.suppressed
        || (detail.handled && ["ignore", "add_to_alarm_whitelist"].contains(&detail.by.as_str()))
    {
        (3, "Suppressed")
    } else if detail.handled {
        (4, "Resolved")
    } else {
        (1, "New")
    }
}

fn confidence(rating: &str) -> Option<(u32, &'static str)> {
    match rating {
        "low" => Some((1, "Low")),
        "medium" => Some((2, "Medium")),
        "high" => Some((3, "High")),
        _ => None,
    }
}

fn action(decision: &str) -> (u32, &'static str) {
    match decision {
        "deny" | "isolate_and_kill" => (2, "Denied"),
        "allow" => (1, "Allowed"),
        _ => (3, "Observed"),
    }
}

fn disposition(row: &AlarmRow) -> (u32, &'static str) {
    match row.decision.as_str() {
        _ if !row.isolated.is_empty() => (3, "Quarantined"),
        "deny" | "isolate_and_kill" => (2, "Blocked"),
        "allow" => (1, "Allowed"),
        _ => (15, "Detected"),
    }
}

pub(super) fn test(teller: Teller<'_>, project: &str, now_ms: i64) -> Value {
    let n = NoticeRow {
        seq: 0,
        project: project.to_owned(),
        host: "test".to_owned(),
        kind: "alarm".to_owned(),
        about: "test".to_owned(),
        word: "test".to_owned(),
        at_ms: now_ms,
        noted_ms: now_ms,
        severity: 0,
        class: String::new(),
        test: true,
        detail: String::new(),
    };
    let mut event = head(CLASS, CATEGORY, (99, "Other"), &n);
    let mut metadata = metadata(teller, &n);
    metadata["labels"] = json!(["test"]);
    let title = "Test of this export";
    let rest = json!({
        "metadata": metadata,
        "message": title,
        "status_id": 99,
        "status": "Test",
        "is_alert": false,
        "finding_info": { "uid": format!("test-{now_ms}"), "title": title, "created_time": now_ms },
        "evidences": [{ "device": parts::device("test", None) }],
    });
    if let Value::Object(rest) = rest {
        event.extend(rest);
    }
    lean(Value::Object(event))
}
