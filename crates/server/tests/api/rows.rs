// SPDX-License-Identifier: Apache-2.0
//! Rows as hosts would have made them.

use crate::kit::{Server, now_ms};
use lazaret_proto::{Message as _, v1};
use lazaret_store::{
    AlarmRow, ApprovalRow, Batch, ContentItemRow, HostFileRow, HostGroupRow, HostRow, IsolatedRow, NewAudit,
    NewSample, PolicyGroupRow, Position, ProjectRow, Record, What,
};
use uuid::Uuid;

pub(crate) fn id() -> String {
    Uuid::now_v7().to_string()
}

pub(crate) async fn project(server: &Server, name: &str) -> String {
    let row = ProjectRow { id: id(), name: name.to_owned(), created_ms: now_ms() };
    server.store().create_project(&row).await.unwrap();
    row.id
}

pub(crate) fn host_row(project: &str) -> HostRow {
    let id = id();
    HostRow {
        name: format!("host-{}", &id[24..]),
        id,
        project: project.to_owned(),
        group: None,
        status: "online".to_owned(),
        importance: "common".to_owned(),
        version: "0.1.0".to_owned(),
        os: "Debian".to_owned(),
        kernel: "6.1".to_owned(),
        arch: "x86_64".to_owned(),
        addresses: "192.0.2.1,2001:db8::1".to_owned(),
        content_version: "1".to_owned(),
        protection: "full".to_owned(),
        protection_reason: String::new(),
        enrolled_ms: now_ms(),
        seen_ms: now_ms(),
        status_ms: now_ms(),
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
    }
}

pub(crate) async fn host(server: &Server, project: &str) -> HostRow {
    let row = host_row(project);
    server.store().insert_host(&row).await.unwrap();
    row
}

pub(crate) async fn host_group(server: &Server, project: &str, policy_group: Option<String>) -> String {
    let id = id();
    let row = HostGroupRow {
        name: format!("group {id}"),
        id,
        project: project.to_owned(),
        policy_group,
        revision: 1,
    };
    server.store().create_host_group(&row).await.unwrap();
    row.id
}

pub(crate) async fn policy_group(server: &Server, project: &str) -> String {
    let id = id();
    let row = PolicyGroupRow {
        name: format!("policy {id}"),
        id,
        project: project.to_owned(),
        description: String::new(),
        settings: "{}".to_owned(),
        revision: 1,
        updated_ms: now_ms(),
        updated_by: "test".to_owned(),
    };
    server.store().create_policy_group(&row).await.unwrap();
    row.id
}

/// An alarm about a web shell of that confidence.
pub(crate) fn alarm_row(host: &HostRow, path: &[u8], sha256: [u8; 32], confidence: u32) -> AlarmRow {
    let id = id();
    let now = now_ms();
    let rating = if confidence >= 90 { "high" } else { "medium" };
    let details = v1::Alarm {
        id: id.clone(),
        at_ms: now,
        last_ms: now,
        count: 1,
        origin: "written".to_owned(),
        severity: rating.to_owned(),
        title: "Web shell".to_owned(),
        verdict: Some(v1::Verdict {
            sha256: sha256.to_vec(),
            size: 10,
            file_type: "php".to_owned(),
            class: "webshell".to_owned(),
            family: "test".to_owned(),
            confidence,
            evidence: vec![v1::Evidence {
                kind: "rule".to_owned(),
                id: "webshell_php_eval".to_owned(),
                weight: 1.0,
                detail: String::new(),
                decisive: confidence >= 90,
            }],
            content_version: "1".to_owned(),
            ..v1::Verdict::default()
        }),
        rating: rating.to_owned(),
        decision: "alarm".to_owned(),
        reasons: vec!["the switch isolate and kill is off".to_owned()],
        file: Some(v1::FileFacts {
            path: path.to_vec(),
            file: Some(v1::FileRef { dev: 1, ino: 2, size: 10, ..v1::FileRef::default() }),
            sha256: sha256.to_vec(),
            mode: 0o100_644,
            ..v1::FileFacts::default()
        }),
        chain: vec![v1::ProcessFacts {
            process: Some(v1::ProcessRef { pid: 7, start_time: 1, boot_id: vec![0; 16] }),
            exe: b"/usr/sbin/php".to_vec(),
            cmdline: b"php\0-f\0x".to_vec(),
            uid: 33,
            ..v1::ProcessFacts::default()
        }],
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
        severity: if confidence >= 90 { 2 } else { 1 },
        class: "webshell".to_owned(),
        rating: rating.to_owned(),
        confidence: i64::from(confidence),
        title: "Web shell".to_owned(),
        path: path.to_vec(),
        sha256: sha256.to_vec(),
        process_sha256: Vec::new(),
        cmdline: b"php\0-f\0x".to_vec(),
        uid: 33,
        container: String::new(),
        origin: "written".to_owned(),
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
        attack_tag: "attack_attempt".to_owned(),
        attack_phase: "installation".to_owned(),
        technique: "T1505.003".to_owned(),
        position: Position::default(),
        details: details.encode_to_vec(),
    }
}

pub(crate) async fn alarm(server: &Server, host: &HostRow, path: &[u8], sha256: [u8; 32]) -> String {
    let row = alarm_row(host, path, sha256, 95);
    server.store().put_alarms(vec![row.clone()]).await.unwrap();
    row.id
}

/// An isolated file, as the host's journal brings it. One for each host: the journal begins at 1.
pub(crate) async fn isolated(
    server: &Server,
    host: &HostRow,
    path: &[u8],
    sha256: [u8; 32],
    status: &str,
) -> String {
    let id = id();
    let details = v1::Isolated {
        id: id.clone(),
        path: path.to_vec(),
        sha256: sha256.to_vec(),
        size: 10,
        class: "webshell".to_owned(),
        status: status.to_owned(),
        killed: vec![v1::Killed { unit: Some("php-fpm.service".to_owned()), ..v1::Killed::default() }],
        ..v1::Isolated::default()
    };
    let row = IsolatedRow {
        id: id.clone(),
        host: host.id.clone(),
        project: host.project.clone(),
        path: path.to_vec(),
        sha256: sha256.to_vec(),
        size: 10,
        class: "webshell".to_owned(),
        family: "test".to_owned(),
        confidence: 95,
        status: status.to_owned(),
        reason: String::new(),
        alarm: String::new(),
        alarm_title: String::new(),
        source: "event".to_owned(),
        isolated_ms: now_ms(),
        updated_ms: now_ms(),
        position: Position::default(),
        details: details.encode_to_vec(),
    };
    let seq = server.store().host(&host.id).await.unwrap().acked.seq + 1;
    let at = Position { epoch: 1, seq };
    let record = Record { at, at_ms: now_ms(), what: What::Isolated(Box::new(row)) };
    server.store().ingest(Batch { host: host.id.clone(), records: vec![record] }).await.unwrap();
    id
}

/// An order of somebody who is gone that waits for a second person: it can be rejected.
pub(crate) async fn approval(server: &Server, project: &str) -> String {
    let row = ApprovalRow {
        id: id(),
        projects: vec![project.to_owned()],
        action: "switch.set".to_owned(),
        title: "switch".to_owned(),
        request: format!(r#"{{"kind":"switch","project":"{project}","name":"isolate_and_kill","on":true}}"#),
        author_id: id(),
        author: "admin-gone".to_owned(),
        created_ms: now_ms(),
        expires_ms: now_ms() + 3_600_000,
        state: "pending".to_owned(),
        decided_id: String::new(),
        decided_by: String::new(),
        decided_ms: 0,
        remark: String::new(),
        result: String::new(),
    };
    server.store().create_approval(&row, &NewAudit::default()).await.unwrap();
    row.id
}

pub(crate) async fn content(server: &Server, project: &str) -> String {
    let id = id();
    let row = ContentItemRow {
        name: format!("list-{id}"),
        id,
        project: project.to_owned(),
        kind: "hashes".to_owned(),
        body: "a".repeat(64).into_bytes(),
        sha256: vec![1; 32],
        entries: 1,
        promoted: false,
        promoted_by: String::new(),
        added_by: "somebody".to_owned(),
        added_ms: now_ms(),
    };
    server.store().add_content_item(&row).await.unwrap();
    row.id
}

/// What a host has told of: a program under a path.
pub(crate) async fn file(server: &Server, host: &HostRow, path: &[u8], sha256: [u8; 32]) {
    let row = HostFileRow {
        path: path.to_vec(),
        sha256: sha256.to_vec(),
        size: 10,
        kind: "executable".to_owned(),
        packaged: false,
        first_ms: now_ms(),
        last_ms: now_ms(),
        gone: false,
        version: 1,
    };
    server.store().put_inventory(&host.id, &host.project, false, vec![row], now_ms()).await.unwrap();
}

/// A sample that a host has begun to send: nothing of it is stored.
pub(crate) async fn sample(server: &Server, host: &HostRow, sha256: [u8; 32]) {
    let new = NewSample {
        project: host.project.clone(),
        sha256: sha256.to_vec(),
        size: 10,
        kind: "executable".to_owned(),
        host: host.id.clone(),
        silent_since_ms: now_ms() + 60_000,
        expires_ms: now_ms() + 86_400_000,
        now_ms: now_ms(),
    };
    server.store().begin_sample(&new).await.unwrap();
}
