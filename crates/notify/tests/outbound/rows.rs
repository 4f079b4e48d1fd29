// SPDX-License-Identifier: Apache-2.0
//! Hosts, alarms and isolated files as hosts would have made them.

use lazaret_proto::{Message as _, v1};
use lazaret_store::{AlarmRow, Batch, HostRow, IsolatedRow, Position, Record, Store, What};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A host that calls itself so.
pub(crate) async fn host(store: &Store, project: &str, name: &str) -> HostRow {
    let row = HostRow {
        id: id(),
        project: project.to_owned(),
        group: None,
        name: name.to_owned(),
        status: "online".to_owned(),
        importance: "common".to_owned(),
        version: "0.1.0".to_owned(),
        os: "Debian GNU/Linux 12".to_owned(),
        kernel: "6.1.0".to_owned(),
        arch: "x86_64".to_owned(),
        addresses: "192.0.2.1,2001:db8::1".to_owned(),
        content_version: "1".to_owned(),
        protection: "full".to_owned(),
        protection_reason: String::new(),
        enrolled_ms: 1,
        seen_ms: 1,
        status_ms: 1,
        stopped: false,
        revoked: false,
        removed: false,
        generation: 1,
        generation_applied: 1,
        refused: String::new(),
        acked: Position::default(),
        run: String::new(),
        gateway: String::new(),
        machine_id: String::new(),
        boot_id: String::new(),
        serial: String::new(),
        certificate_until_ms: 0,
        report: Vec::new(),
    };
    store.insert_host(&row).await.unwrap();
    row
}

pub(crate) fn line(action: &str, outcome: &str, reason: &str) -> v1::ActionRecord {
    v1::ActionRecord {
        at_ms: now_ms(),
        action: action.to_owned(),
        outcome: outcome.to_owned(),
        reason: reason.to_owned(),
        target: "/srv/x".to_owned(),
    }
}

/// An alarm of that class and severity (0 to 3), with these lines in its timeline.
pub(crate) fn alarm(host: &HostRow, class: &str, severity: i64, timeline: Vec<v1::ActionRecord>) -> AlarmRow {
    let id = id();
    let now = now_ms();
    let path = b"/srv/www/\xff a=b|<x>\n.php".to_vec();
    let details = v1::Alarm {
        id: id.clone(),
        at_ms: now,
        last_ms: now,
        count: 1,
        reasons: vec!["one".to_owned(), "two\n".to_owned()],
        verdict: Some(v1::Verdict {
            sha256: vec![7; 32],
            class: class.to_owned(),
            family: "fam".to_owned(),
            confidence: 95,
            evidence: vec![v1::Evidence {
                kind: "rule".into(),
                id: "r1".into(),
                weight: 2.0,
                ..Default::default()
            }],
            content_version: "c1".to_owned(),
            ..v1::Verdict::default()
        }),
        file: Some(v1::FileFacts {
            path: path.clone(),
            file: Some(v1::FileRef { dev: 1, ino: 2, size: 99, ..v1::FileRef::default() }),
            ..v1::FileFacts::default()
        }),
        chain: vec![v1::ProcessFacts {
            process: Some(v1::ProcessRef { pid: 4711, start_time: 1, boot_id: vec![0; 16] }),
            exe: b"/usr/bin/ev\xffil".to_vec(),
            cmdline: b"evil\0-x\0".to_vec(),
            uid: 33,
            started_ms: now,
            ..v1::ProcessFacts::default()
        }],
        timeline,
        ..v1::Alarm::default()
    };
    AlarmRow {
        id,
        host: host.id.clone(),
        project: host.project.clone(),
        at_ms: now,
        last_ms: now,
        received_ms: now,
        count: 1,
        severity,
        class: class.to_owned(),
        rating: "high".to_owned(),
        confidence: 95,
        title: format!("Something of the class {class}"),
        path,
        sha256: vec![7; 32],
        process_sha256: Vec::new(),
        cmdline: Vec::new(),
        uid: 33,
        container: String::new(),
        origin: "exec".to_owned(),
        decision: "isolate_and_kill".to_owned(),
        auto_block: true,
        test: false,
        isolated: String::new(),
        handled: false,
        handled_by: String::new(),
        handled_who: String::new(),
        handled_ms: 0,
        remark: String::new(),
        suppressed: String::new(),
        attack_tag: "attack_blocked".to_owned(),
        attack_phase: "actions".to_owned(),
        technique: String::new(),
        position: Position::default(),
        details: details.encode_to_vec(),
    }
}

/// An isolated file of an alarm, or (empty) of none, with a process that was ended.
pub(crate) fn isolated(host: &HostRow, alarm: &str, status: &str) -> IsolatedRow {
    let id = id();
    let details = v1::Isolated {
        id: id.clone(),
        status: status.to_owned(),
        killed: vec![v1::Killed {
            process: Some(v1::ProcessRef { pid: 815, start_time: 1, boot_id: vec![0; 16] }),
            exe: b"/srv/www/x".to_vec(),
            cmdline: b"x\0--pool\0".to_vec(),
            outcome: "done".to_owned(),
            ..v1::Killed::default()
        }],
        ..v1::Isolated::default()
    };
    IsolatedRow {
        id,
        host: host.id.clone(),
        project: host.project.clone(),
        path: b"/srv/www/x".to_vec(),
        sha256: vec![7; 32],
        size: 99,
        class: "miner".to_owned(),
        family: "fam".to_owned(),
        confidence: 95,
        status: status.to_owned(),
        reason: String::new(),
        alarm: alarm.to_owned(),
        alarm_title: String::new(),
        source: "event".to_owned(),
        isolated_ms: now_ms(),
        updated_ms: now_ms(),
        position: Position::default(),
        details: details.encode_to_vec(),
    }
}

/// As a host's journal brings them, from its first entry on.
pub(crate) fn journal(host: &HostRow, whats: Vec<What>) -> Batch {
    let record = |(seq, what): (i64, What)| Record { at: Position { epoch: 1, seq }, at_ms: now_ms(), what };
    Batch { host: host.id.clone(), records: (1..).zip(whats).map(record).collect() }
}
