// SPDX-License-Identifier: Apache-2.0
//! What was done on a host: File Remediation Activity (7002), Process Remediation Activity (7003).

use super::parts::{cmd_line, device, file, head, lean, malware, metadata};
use super::{Known, Teller};
use crate::notice_action::Action;
use crate::text::{of_bytes, shown};
use lazaret_proto::{Message as _, v1};
use lazaret_store::NoticeRow;
use serde_json::{Value, json};

const FILE: (u32, &str) = (7002, "File Remediation Activity");
const PROCESS: (u32, &str) = (7003, "Process Remediation Activity");
const CATEGORY: (u32, &str) = (7, "Remediation");

pub(super) fn event(teller: Teller<'_>, n: &NoticeRow, action: &Action, known: Known<'_>) -> Value {
    let activity = match action.word.as_str() {
        "isolate" => (1, "Isolate"),
        "restore" => (3, "Restore"),
        "delete" | "kill" => (2, "Evict"),
        _ => (99, "Other"),
    };
    let class = if action.process { PROCESS } else { FILE };
    let mut event = head(class, CATEGORY, activity, n);
    let (status_id, status) = status(&action.outcome);
    let path = action.path();
    let subject = if action.process {
        json!({ "process": {
            "pid": action.pid,
            // The schema wants a number or a name of it.
            "uid": if action.pid.is_none() { action.command.as_str() } else { "" },
            "name": name(&path),
            "path": of_bytes(&path, 4096),
            "cmd_line": cmd_line(&action.cmdline()),
            "file": (!path.is_empty()).then(|| file(&path, &[], None)),
        } })
    } else {
        let facts = known.alarm.map(|a| v1::Alarm::decode(a.details.as_slice()).unwrap_or_default());
        let hash = known.alarm.map(|a| a.sha256.as_slice()).or(known.isolated.map(|i| i.sha256.as_slice()));
        let facts = facts.as_ref().and_then(|a| a.file.as_ref());
        json!({ "file": file(&path, hash.unwrap_or_default(), facts) })
    };
    let family = known.isolated.map_or("", |i| i.family.as_str());
    let done = matches!(status_id, 1 | 4).then(|| disposition(&action.word)).flatten();
    let rest = json!({
        "metadata": metadata(teller, n),
        "command_uid": action.command,
        "message": format!("{} of {}: {}", action.word, shown(&of_bytes(&path, 300), 300), action.outcome),
        "status_id": status_id,
        "status": status,
        "status_code": action.outcome,
        "status_detail": shown(&action.reason, 1024),
        "device": device(&action.host, known.host),
        "malware": malware(&action.class, family, &path),
        "disposition_id": done.map(|d| d.0),
        "disposition": done.map(|d| d.1),
        "unmapped": { "lazaret_alarm": action.alarm, "lazaret_isolated": action.isolated },
    });
    for part in [subject, rest] {
        if let Value::Object(part) = part {
            event.extend(part);
        }
    }
    lean(Value::Object(event))
}

fn name(path: &[u8]) -> String {
    path.rsplit(|b| *b == b'/').next().map(|p| of_bytes(p, 255)).unwrap_or_default()
}

/// Lazaret's outcome in the words of the schema.
fn status(outcome: &str) -> (u32, &'static str) {
    match outcome {
        "done" => (1, "Success"),
        "refused" | "failed" => (2, "Failure"),
        "already_gone" => (3, "Does Not Exist"),
        "partial" => (4, "Partial"),
        _ => (0, "Unknown"),
    }
}

fn disposition(word: &str) -> Option<(u32, &'static str)> {
    match word {
        "isolate" => Some((3, "Quarantined")),
        "restore" => Some((9, "Restored")),
        "delete" => Some((5, "Deleted")),
        // There is none for a process that was ended.
        _ => None,
    }
}
