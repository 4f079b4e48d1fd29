// SPDX-License-Identifier: Apache-2.0
//! The server's own alarms: about agents, not about programs.

use crate::attack;
use lazaret_proto::{Message, v1};
use lazaret_store::{AlarmRow, HostRow, Position};
use sha2::{Digest as _, Sha256};

/// An identity that is the same for the same words: several gateways that notice one thing raise one
/// alarm.
pub(crate) fn named_id(words: &[&str]) -> String {
    let mut digest = Sha256::new();
    for word in words {
        digest.update((word.len() as u64).to_le_bytes());
        digest.update(word.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// An alarm about one host, high, of the daemon's kind.
pub(super) fn about(
    host: &HostRow,
    id: String,
    title: String,
    reasons: Vec<String>,
    now_ms: i64,
) -> AlarmRow {
    row((&host.id, &host.project), id, title, reasons, now_ms)
}

/// One about the server itself: no host has this id.
pub(crate) fn of_server(
    project: &str,
    id: String,
    title: String,
    reasons: Vec<String>,
    now_ms: i64,
) -> AlarmRow {
    row((&uuid::Uuid::nil().to_string(), project), id, title, reasons, now_ms)
}

fn row(
    (host, project): (&str, &str),
    id: String,
    title: String,
    reasons: Vec<String>,
    now_ms: i64,
) -> AlarmRow {
    let details = v1::Alarm {
        id: id.clone(),
        at_ms: now_ms,
        last_ms: now_ms,
        count: 1,
        origin: "daemon".to_owned(),
        severity: "high".to_owned(),
        title: title.clone(),
        decision: "alarm".to_owned(),
        reasons,
        ..v1::Alarm::default()
    };
    AlarmRow {
        id,
        host: host.to_owned(),
        project: project.to_owned(),
        at_ms: now_ms,
        last_ms: now_ms,
        received_ms: now_ms,
        count: 1,
        severity: 2,
        class: String::new(),
        rating: String::new(),
        confidence: -1,
        title,
        path: Vec::new(),
        sha256: Vec::new(),
        process_sha256: Vec::new(),
        cmdline: Vec::new(),
        uid: -1,
        container: String::new(),
        origin: "daemon".to_owned(),
        decision: "alarm".to_owned(),
        auto_block: false,
        test: false,
        isolated: String::new(),
        handled: false,
        handled_by: String::new(),
        handled_who: String::new(),
        handled_ms: 0,
        remark: String::new(),
        suppressed: String::new(),
        attack_tag: attack::of("", "alarm", false, "daemon").tag.to_owned(),
        attack_phase: String::new(),
        technique: String::new(),
        position: Position::default(),
        details: details.encode_to_vec(),
    }
}
