// SPDX-License-Identifier: Apache-2.0
//! All that is known of one event.

use super::chain::{chain, file_name};
use super::look;
use crate::call::{Answer, Call};
use crate::error::HssError;
use crate::kinds;
use crate::rest::part;
use crate::words::{at, ms, said, text};
use serde_json::{Value, json};

/// File, processes, user, container and verdict of an event.
pub(crate) async fn list_event_forensic(call: &Call) -> Answer {
    let number = call.ask.int("event_type").map(|n| kinds::event_type("event_type", n)).transpose()?;
    let full = look::asked(call).await?;
    let summary = at(&full, "summary");
    if number.is_some_and(|n| at(summary, "event_type").as_i64() != Some(n)) {
        return Err(HssError::missing("such event", text(summary, "id")));
    }
    let stored = has_sample(call, summary).await?;
    Ok(forensic(&full, stored).into())
}

/// Whether the server has the file's content, for `download_event_source_file`.
async fn has_sample(call: &Call, summary: &Value) -> Result<bool, HssError> {
    let sha256 = text(summary, "sha256");
    if sha256.is_empty() {
        return Ok(false);
    }
    let query = [("project", text(summary, "project").to_owned())];
    match call.rest.get(&format!("/files/{}", part(sha256)), &query).await {
        Ok(page) => Ok(text(&page, "sample.state") == "stored"),
        Err(e) if e.is_missing() => Ok(false),
        Err(e) => Err(e),
    }
}

fn forensic(full: &Value, stored: bool) -> Value {
    let (summary, alarm) = (at(full, "summary"), at(full, "alarm"));
    let processes = at(alarm, "chain").as_array().map_or(&[][..], Vec::as_slice);
    json!({
        "event_type": at(summary, "event_type"),
        "event_class_id": at(summary, "event_class_id"),
        "support_download_file": stored,
        "malware_file_hash": at(summary, "sha256"),
        "event_forensic_info": {
            "occur_time": ms(at(summary, "last")),
            "file_forensic_list": file(summary, alarm).map(|f| [f]),
            "process_chain_forensic": (!processes.is_empty()).then(|| [chain(processes)]),
            "user_forensic": processes.first().map(|p| json!({
                "user_id": at(p, "uid"),
                "user_gid": at(p, "gid"),
            })),
            "container_forensic": container(summary, processes),
            "malware_forensic": malware(summary, alarm),
            "auto_launch_forensic": auto_launch(alarm),
        },
        "lazaret_recommendation": at(full, "recommendation"),
        "lazaret_alarm": alarm,
        "lazaret_history": at(full, "history"),
    })
}

/// The file; of one that only the summary has, what that knows.
fn file(summary: &Value, alarm: &Value) -> Option<Value> {
    let facts = at(alarm, "file");
    let path = if facts.is_null() { at(summary, "path") } else { at(facts, "path") };
    let sha256 = at(summary, "sha256");
    if path.as_str().unwrap_or_default().is_empty() && sha256.is_null() {
        return None;
    }
    // Octal, with the file type: a folder's is 4, of five digits.
    let mode = at(facts, "mode").as_str();
    Some(json!({
        "file_path": said(path),
        "file_name": file_name(path.as_str().unwrap_or_default()),
        "file_sha256": sha256,
        "file_hash": sha256,
        "file_size": at(facts, "size"),
        "is_dir": mode.map(|m| m.len() == 5 && m.starts_with('4')),
        "file_mtime": ms(at(facts, "mtime")),
        "file_atime": ms(at(facts, "atime")),
        "file_ctime": ms(at(facts, "ctime")),
        "file_type": said(at(alarm, "verdict.file_type")),
        "lazaret_mode": mode,
        "lazaret_package": at(facts, "package"),
        "lazaret_member": at(alarm, "verdict.member"),
    }))
}

fn container(summary: &Value, processes: &[Value]) -> Option<Value> {
    let of_summary = at(summary, "container");
    let id = std::iter::once(of_summary)
        .chain(processes.iter().map(|p| at(p, "container")))
        .find(|c| c.as_str().is_some_and(|c| !c.is_empty()))?;
    Some(json!({ "container_id": id, "container_name": id }))
}

fn malware(summary: &Value, alarm: &Value) -> Option<Value> {
    (!at(summary, "class").is_null()).then(|| {
        json!({
            "malware_family": said(at(alarm, "verdict.family")),
            "malware_type": at(summary, "class_title"),
            "confidence": at(summary, "confidence"),
        })
    })
}

/// The first of what would start it again; `lazaret_alarm` has all.
fn auto_launch(alarm: &Value) -> Option<Value> {
    let entry = at(alarm, "persistence.entries").as_array()?.first()?;
    Some(json!({
        "owner": at(entry, "uid").as_u64().map(|uid| uid.to_string()),
        "name": said(at(entry, "text")),
        "path": said(at(entry, "file")),
        "description": said(at(entry, "why")),
        "lazaret_kind": at(entry, "kind"),
        "lazaret_state": at(entry, "state"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::without_nulls;

    #[test]
    fn what_an_alarm_knows() {
        let full = json!({
            "summary": { "id": "a", "event_type": 1016, "event_class_id": "av_1016", "class": "miner",
                "class_title": "Miner", "confidence": 97, "sha256": "ab", "last": "2026-01-01T00:00:00.000Z",
                "container": null },
            "alarm": {
                "verdict": { "family": "xmrig", "file_type": "elf", "member": null },
                "file": { "path": "/tmp/x", "size": 12, "mode": "100755", "mtime": "2026-01-01T00:00:00.5Z" },
                "chain": [{ "pid": 4, "ppid": 1, "exe": "/bin/sh", "cmdline": ["sh"], "uid": 33, "gid": 34,
                    "container": "c1" }],
                "persistence": { "entries": [{ "uid": 33, "text": "* * * * * /tmp/x", "file": "/var/spool/cron/u",
                    "why": "runs it", "kind": "cron", "state": "found" }] },
            },
            "recommendation": "Isolate it.",
        });
        let shown = without_nulls(forensic(&full, true));
        let info = at(&shown, "event_forensic_info");
        assert_eq!(at(&shown, "support_download_file"), &json!(true));
        let file = &at(info, "file_forensic_list")[0];
        assert_eq!((text(file, "file_name"), at(file, "file_size")), ("x", &json!(12)));
        assert_eq!(
            (at(file, "is_dir"), at(file, "file_mtime")),
            (&json!(false), &json!(1_767_225_600_500_i64))
        );
        assert_eq!(at(info, "process_chain_forensic")[0][0]["process_pid"], 4);
        assert_eq!(at(info, "user_forensic"), &json!({ "user_id": 33, "user_gid": 34 }));
        assert_eq!(text(info, "container_forensic.container_id"), "c1");
        assert_eq!(text(info, "malware_forensic.malware_family"), "xmrig");
        assert_eq!(text(info, "auto_launch_forensic.path"), "/var/spool/cron/u");
        assert!(at(info, "network_forensic").is_null());
    }

    #[test]
    fn an_alarm_about_an_agent_has_little() {
        let full = json!({ "summary": { "id": "a", "class": null, "sha256": null, "path": null,
            "last": "2026-01-01T00:00:00.000Z" }, "alarm": null });
        let shown = without_nulls(forensic(&full, false));
        assert_eq!(at(&shown, "event_forensic_info"), &json!({ "occur_time": 1_767_225_600_000_i64 }));
        assert!(at(&shown, "malware_file_hash").is_null());
    }
}
