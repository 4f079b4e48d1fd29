// SPDX-License-Identifier: Apache-2.0
//! Objects that events share. What is empty is left out: the schema has no empty values.

use super::{Teller, VERSION};
use crate::text::{hex, of_bytes, shown};
use lazaret_model::MalwareClass;
use lazaret_proto::v1;
use lazaret_store::{HostRow, NoticeRow};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// Characters of a path.
const PATH: usize = 4096;
/// Of a command line.
const CMDLINE: usize = 2048;

/// Without what is null, empty text, or an empty list.
pub(super) fn lean(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .into_iter()
                .map(|(k, v)| (k, lean(v)))
                .filter(|(_, v)| {
                    !matches!(v, Value::Null)
                        && v.as_str() != Some("")
                        && v.as_array().is_none_or(|a| !a.is_empty())
                })
                .collect();
            Value::Object(kept)
        }
        Value::Array(list) => Value::Array(list.into_iter().map(lean).collect()),
        other => other,
    }
}

/// Activity of a class: its number and name.
pub(super) type Activity = (u32, &'static str);

/// What every event begins with.
pub(super) fn head(
    class: (u32, &'static str),
    category: (u32, &'static str),
    (activity, activity_name): Activity,
    n: &NoticeRow,
) -> Map<String, Value> {
    let (severity_id, severity) = severity(n.severity);
    let value = json!({
        "class_uid": class.0,
        "class_name": class.1,
        "category_uid": category.0,
        "category_name": category.1,
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": class.0 * 100 + activity,
        "type_name": format!("{}: {activity_name}", class.1),
        "time": n.at_ms,
        "severity_id": severity_id,
        "severity": severity,
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

pub(super) fn metadata(teller: Teller<'_>, n: &NoticeRow) -> Value {
    json!({
        "version": VERSION,
        "product": { "name": "Lazaret", "vendor_name": "Lazaret", "version": teller.version },
        // The same for every try of the same notice.
        "uid": format!("{}-{}", teller.installation, n.seq),
        "sequence": n.seq,
        "profiles": ["host", "security_control"],
        "tenant_uid": n.project,
        "correlation_uid": n.about,
        "logged_time": n.noted_ms,
    })
}

pub(super) const fn severity(number: i64) -> (u32, &'static str) {
    match number {
        0 => (2, "Low"),
        1 => (3, "Medium"),
        3 => (5, "Critical"),
        _ => (4, "High"),
    }
}

/// A protected server.
pub(super) fn device(id: &str, host: Option<&HostRow>) -> Value {
    let Some(h) = host else {
        return json!({ "uid": id, "type_id": 1, "type": "Server" });
    };
    let ip =
        h.addresses.split(',').find_map(|a| a.parse::<IpAddr>().ok()).map(|a| a.to_canonical().to_string());
    let name = shown(&h.name, 253);
    json!({
        "uid": id,
        "type_id": 1,
        "type": "Server",
        "name": name,
        "hostname": name,
        "ip": ip,
        "os": {
            "name": shown(if h.os.is_empty() { "Linux" } else { &h.os }, 200),
            "type_id": 200,
            "type": "Linux",
            "kernel_release": shown(&h.kernel, 200),
        },
    })
}

fn base_name(path: &[u8]) -> String {
    let last = path.rsplit(|b| *b == b'/').find(|p| !p.is_empty()).unwrap_or(b"unknown");
    of_bytes(last, 255)
}

/// A file: its path, its content's hash, its size where that is known.
pub(super) fn file(path: &[u8], sha256: &[u8], facts: Option<&v1::FileFacts>) -> Value {
    let size = facts.and_then(|f| f.file.as_ref()).map(|f| f.size);
    let hashes = if sha256.is_empty() {
        json!([])
    } else {
        json!([{ "algorithm_id": 3, "algorithm": "SHA-256", "value": hex(sha256) }])
    };
    json!({
        "name": base_name(path),
        "path": of_bytes(path, PATH),
        "type_id": 1,
        "type": "Regular File",
        "hashes": hashes,
        // A number that does not fit is none of a file.
        "size": size.and_then(|s| i64::try_from(s).ok()),
        "owner": facts.map(|f| json!({ "uid": f.uid.to_string() })),
    })
}

/// A process as an alarm's chain has it.
pub(super) fn process(p: &v1::ProcessFacts) -> Value {
    let pid = p.process.as_ref().map(|r| r.pid);
    let executable = (!p.exe.is_empty()).then(|| file(&p.exe, &p.sha256, None));
    json!({
        "pid": pid,
        "uid": if pid.is_none() { "unknown" } else { "" },
        "name": (!p.exe.is_empty()).then(|| base_name(&p.exe)),
        "path": of_bytes(&p.exe, PATH),
        "cmd_line": cmd_line(&p.cmdline),
        "file": executable,
        "user": { "uid": p.uid.to_string() },
        "created_time": (p.started_ms > 0).then_some(p.started_ms),
    })
}

/// Arguments as one text.
pub(super) fn cmd_line(raw: &[u8]) -> String {
    let end = raw.iter().rposition(|b| *b != 0).map_or(0, |p| p + 1);
    let spaced: Vec<u8> = raw[..end].iter().map(|b| if *b == 0 { b' ' } else { *b }).collect();
    of_bytes(&spaced, CMDLINE)
}

/// The program that an alarm is about; null where it is about none.
pub(super) fn malware(class: &str, family: &str, path: &[u8]) -> Value {
    let Ok(class) = class.parse::<MalwareClass>() else { return Value::Null };
    let row = class.row();
    let name = if family.is_empty() { row.title } else { family };
    json!([{
        "name": shown(name, 200),
        "classification_ids": [row.ocsf_classification],
        "classifications": [row.title],
        "path": of_bytes(path, PATH),
        "provider": "Lazaret",
    }])
}
