// SPDX-License-Identifier: Apache-2.0
//! Rows for the stories.

use lazaret_store::*;

pub(crate) const P: &str = DEFAULT_PROJECT;

pub(crate) fn id(n: u64) -> String {
    format!("00000000-0000-7000-8000-{n:012}")
}

pub(crate) fn host(name: &str) -> HostRow {
    HostRow {
        id: name.into(),
        project: P.into(),
        group: None,
        name: name.into(),
        status: "installed".into(),
        importance: "common".into(),
        version: "0.1.0".into(),
        os: "Debian".into(),
        kernel: "6.1".into(),
        arch: "x86_64".into(),
        addresses: "192.0.2.1,2001:db8::1".into(),
        content_version: "1".into(),
        protection: "full".into(),
        protection_reason: String::new(),
        enrolled_ms: 1,
        seen_ms: 1,
        status_ms: 1,
        stopped: false,
        revoked: false,
        removed: false,
        generation: 1,
        generation_applied: 0,
        refused: String::new(),
        acked: Position::default(),
        run: String::new(),
        gateway: String::new(),
        machine_id: format!("machine of {name}"),
        boot_id: "boot".into(),
        serial: "01".into(),
        certificate_until_ms: 9,
        report: vec![1, 2, 3],
    }
}

pub(crate) fn alarm(id: &str, last_ms: i64) -> AlarmRow {
    AlarmRow {
        id: id.into(),
        host: String::new(),
        project: P.into(),
        at_ms: last_ms,
        last_ms,
        received_ms: last_ms,
        count: 1,
        severity: 2,
        class: "miner".into(),
        rating: "high".into(),
        confidence: 97,
        title: format!("title of {id}"),
        path: b"/tmp/\xff\xfe/run".to_vec(),
        sha256: vec![7; 32],
        process_sha256: vec![8; 32],
        cmdline: b"/tmp/run\0--pool\0x".to_vec(),
        uid: 1000,
        container: String::new(),
        origin: "exec".into(),
        decision: "isolate_and_kill".into(),
        auto_block: true,
        test: false,
        isolated: String::new(),
        handled: false,
        handled_by: String::new(),
        handled_who: String::new(),
        handled_ms: 0,
        remark: String::new(),
        suppressed: String::new(),
        attack_tag: "attack_blocked".into(),
        attack_phase: "actions".into(),
        technique: "T1496.001".into(),
        position: Position::default(),
        details: vec![0, 255, 3],
    }
}

pub(crate) fn isolated(id: &str, alarm: &str) -> IsolatedRow {
    IsolatedRow {
        id: id.into(),
        host: String::new(),
        project: P.into(),
        path: b"/var/www/\xffshell.php".to_vec(),
        sha256: vec![9; 32],
        size: 12,
        class: "webshell".into(),
        family: "b374k".into(),
        confidence: 99,
        status: "isolated".into(),
        reason: String::new(),
        alarm: alarm.into(),
        alarm_title: String::new(),
        source: "event".into(),
        isolated_ms: 5,
        updated_ms: 5,
        position: Position::default(),
        details: vec![4],
    }
}

pub(crate) fn at(epoch: i64, seq: i64) -> Position {
    Position { epoch, seq }
}

pub(crate) fn record(seq: i64, what: What) -> Record {
    Record { at: at(1, seq), at_ms: 1000 + seq, what }
}

pub(crate) fn says(alarm: AlarmRow) -> What {
    What::Alarm(Box::new(alarm))
}

pub(crate) fn batch(host: &str, records: Vec<Record>) -> Batch {
    Batch { host: host.into(), records }
}

/// An alarm for each number.
pub(crate) fn alarms(host: &str, seqs: std::ops::RangeInclusive<i64>) -> Batch {
    batch(host, seqs.map(|n| record(n, says(alarm(&format!("{host}-{n}"), n)))).collect())
}

pub(crate) fn command(n: u64, host: &str, task: &str) -> CommandRow {
    CommandRow {
        id: id(n),
        host: host.into(),
        project: P.into(),
        task: task.into(),
        verb: "handle".into(),
        about: format!("alarm {n}"),
        state: "pending".into(),
        reason: String::new(),
        who: "ann".into(),
        created_ms: n.cast_signed(),
        expires_ms: 1000,
        sent_ms: 0,
        finished_ms: 0,
        cancel: false,
        payload: vec![1],
        result: Vec::new(),
    }
}

pub(crate) fn page(limit: u32) -> Cursor {
    Cursor { after: None, limit }
}

pub(crate) fn behind(next: Option<String>, limit: u32) -> Cursor {
    Cursor { after: next, limit }
}
