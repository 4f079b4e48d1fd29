// SPDX-License-Identifier: Apache-2.0
//! Alarms: the same names as the command line's `alarms show --json`.

use super::arguments;
use super::persistence::Persistence;
use super::{exact, hex, lossy, some};
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;
use utoipa::ToSchema;

/// One alarm.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Alarm {
    r#type: String,
    id: String,
    at: String,
    last: String,
    count: u64,
    origin: String,
    severity: String,
    title: String,
    rating: Option<String>,
    decision: String,
    reasons: Vec<String>,
    handled: Option<Handled>,
    isolated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frozen_until: Option<String>,
    verdict: Option<Verdict>,
    file: Option<FileFacts>,
    chain: Vec<ProcessFacts>,
    timeline: Vec<ActionRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistence: Option<Persistence>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Handled {
    by: String,
    at: String,
    who: String,
    remark: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Verdict {
    sha256: Option<String>,
    size: u64,
    file_type: String,
    member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_b64: Option<String>,
    class: String,
    family: String,
    confidence: u32,
    evidence: Vec<Evidence>,
    content_version: String,
    test: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Evidence {
    kind: String,
    id: String,
    weight: f32,
    detail: String,
    decisive: bool,
}

/// What is known about a file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FileFacts {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    sha256: Option<String>,
    size: Option<u64>,
    dev: Option<u64>,
    ino: Option<u64>,
    uid: u32,
    gid: u32,
    /// Octal, as chmod takes it, with the file type: `100755`.
    mode: String,
    nlink: u64,
    atime: String,
    mtime: String,
    ctime: Option<String>,
    package: Option<String>,
    package_intact: Option<bool>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ProcessFacts {
    pid: Option<i32>,
    ppid: i32,
    exe: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe_b64: Option<String>,
    cmdline: Vec<String>,
    uid: u32,
    euid: u32,
    gid: u32,
    started_at: String,
    sha256: Option<String>,
    container: Option<String>,
    unit: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct ActionRecord {
    at: String,
    action: String,
    outcome: String,
    reason: String,
    target: String,
}

impl From<&v1::Alarm> for Alarm {
    fn from(a: &v1::Alarm) -> Self {
        Self {
            r#type: "alarm".to_owned(),
            id: a.id.clone(),
            at: time::rfc3339(a.at_ms),
            last: time::rfc3339(a.last_ms),
            count: a.count,
            origin: a.origin.clone(),
            severity: a.severity.clone(),
            title: a.title.clone(),
            rating: some(&a.rating),
            decision: a.decision.clone(),
            reasons: a.reasons.clone(),
            handled: some(&a.handled_by).map(|by| Handled {
                by,
                at: time::rfc3339(a.handled_ms),
                who: a.handled_who.clone(),
                remark: a.remark.clone(),
            }),
            isolated: a.isolated.clone(),
            frozen_until: a.window_until_ms.map(time::rfc3339),
            verdict: a.verdict.as_ref().map(Into::into),
            file: a.file.as_ref().map(Into::into),
            chain: a.chain.iter().map(Into::into).collect(),
            timeline: a.timeline.iter().map(Into::into).collect(),
            persistence: a.persistence.as_ref().map(Into::into),
        }
    }
}

impl From<&v1::Verdict> for Verdict {
    fn from(v: &v1::Verdict) -> Self {
        Self {
            sha256: hex(&v.sha256),
            size: v.size,
            file_type: v.file_type.clone(),
            member: v.member.as_deref().map(lossy),
            member_b64: v.member.as_deref().and_then(exact),
            class: v.class.clone(),
            family: v.family.clone(),
            confidence: v.confidence,
            evidence: v
                .evidence
                .iter()
                .map(|e| Evidence {
                    kind: e.kind.clone(),
                    id: e.id.clone(),
                    weight: if e.weight.is_finite() { e.weight } else { 0.0 },
                    detail: e.detail.clone(),
                    decisive: e.decisive,
                })
                .collect(),
            content_version: v.content_version.clone(),
            test: v.test,
        }
    }
}

impl From<&v1::FileFacts> for FileFacts {
    fn from(f: &v1::FileFacts) -> Self {
        let id = f.file.as_ref();
        Self {
            path: lossy(&f.path),
            path_b64: exact(&f.path),
            sha256: hex(&f.sha256),
            size: id.map(|i| i.size),
            dev: id.map(|i| i.dev),
            ino: id.map(|i| i.ino),
            uid: f.uid,
            gid: f.gid,
            mode: format!("{:o}", f.mode),
            nlink: f.nlink,
            atime: time::rfc3339_nanos(f.atime_sec, f.atime_nsec),
            mtime: time::rfc3339_nanos(f.mtime_sec, f.mtime_nsec),
            ctime: id.map(|i| time::rfc3339_nanos(i.ctime_sec, i.ctime_nsec)),
            package: f.package.clone(),
            package_intact: f.package_intact,
        }
    }
}

impl From<&v1::ProcessFacts> for ProcessFacts {
    fn from(p: &v1::ProcessFacts) -> Self {
        Self {
            pid: p.process.as_ref().map(|r| r.pid),
            ppid: p.ppid,
            exe: lossy(&p.exe),
            exe_b64: exact(&p.exe),
            cmdline: arguments(&p.cmdline).map(lossy).collect(),
            uid: p.uid,
            euid: p.euid,
            gid: p.gid,
            started_at: time::rfc3339(p.started_ms),
            sha256: hex(&p.sha256),
            container: p.container.clone(),
            unit: p.unit.clone(),
        }
    }
}

impl From<&v1::ActionRecord> for ActionRecord {
    fn from(r: &v1::ActionRecord) -> Self {
        Self {
            at: time::rfc3339(r.at_ms),
            action: r.action.clone(),
            outcome: r.outcome.clone(),
            reason: r.reason.clone(),
            target: r.target.clone(),
        }
    }
}
