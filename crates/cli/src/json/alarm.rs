// SPDX-License-Identifier: Apache-2.0
//! Alarms: the same object in `alarms list` and `alarms show`.

use super::persistence::Persistence;
use super::{exact, hex, lossy, some};
use crate::{escape, time};
use lazaret_proto::v1;
use serde::Serialize;

/// One alarm.
#[derive(Debug, Serialize)]
pub(crate) struct Alarm<'a> {
    r#type: &'static str,
    id: &'a str,
    at: String,
    last: String,
    count: u64,
    origin: &'a str,
    severity: &'a str,
    title: &'a str,
    rating: Option<&'a str>,
    decision: &'a str,
    reasons: &'a [String],
    handled: Option<Handled<'a>>,
    isolated: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frozen_until: Option<String>,
    verdict: Option<Verdict<'a>>,
    file: Option<FileFacts<'a>>,
    chain: Vec<ProcessFacts<'a>>,
    timeline: Vec<ActionRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    persistence: Option<Persistence<'a>>,
}

#[derive(Debug, Serialize)]
struct Handled<'a> {
    by: &'a str,
    at: String,
    who: &'a str,
    remark: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct Verdict<'a> {
    sha256: Option<String>,
    size: u64,
    file_type: &'a str,
    member: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_b64: Option<String>,
    class: &'a str,
    family: &'a str,
    confidence: u32,
    evidence: Vec<Evidence<'a>>,
    content_version: &'a str,
    test: bool,
}

#[derive(Debug, Serialize)]
struct Evidence<'a> {
    kind: &'a str,
    id: &'a str,
    weight: f32,
    detail: &'a str,
    decisive: bool,
}

/// What is known about a file.
#[derive(Debug, Serialize)]
pub(super) struct FileFacts<'a> {
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
    package: Option<&'a str>,
    package_intact: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(super) struct ProcessFacts<'a> {
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
    container: Option<&'a str>,
    unit: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ActionRecord<'a> {
    at: String,
    action: &'a str,
    outcome: &'a str,
    reason: &'a str,
    target: &'a str,
}

impl<'a> From<&'a v1::Alarm> for Alarm<'a> {
    fn from(a: &'a v1::Alarm) -> Self {
        Self {
            r#type: "alarm",
            id: &a.id,
            at: time::rfc3339(a.at_ms),
            last: time::rfc3339(a.last_ms),
            count: a.count,
            origin: &a.origin,
            severity: &a.severity,
            title: &a.title,
            rating: some(&a.rating),
            decision: &a.decision,
            reasons: &a.reasons,
            handled: some(&a.handled_by).map(|by| Handled {
                by,
                at: time::rfc3339(a.handled_ms),
                who: &a.handled_who,
                remark: &a.remark,
            }),
            isolated: a.isolated.as_deref(),
            frozen_until: a.window_until_ms.map(time::rfc3339),
            verdict: a.verdict.as_ref().map(Into::into),
            file: a.file.as_ref().map(Into::into),
            chain: a.chain.iter().map(Into::into).collect(),
            timeline: a.timeline.iter().map(Into::into).collect(),
            persistence: a.persistence.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a v1::Verdict> for Verdict<'a> {
    fn from(v: &'a v1::Verdict) -> Self {
        Self {
            sha256: hex(&v.sha256),
            size: v.size,
            file_type: &v.file_type,
            member: v.member.as_deref().map(lossy),
            member_b64: v.member.as_deref().and_then(exact),
            class: &v.class,
            family: &v.family,
            confidence: v.confidence,
            evidence: v
                .evidence
                .iter()
                .map(|e| Evidence {
                    kind: &e.kind,
                    id: &e.id,
                    weight: e.weight,
                    detail: &e.detail,
                    decisive: e.decisive,
                })
                .collect(),
            content_version: &v.content_version,
            test: v.test,
        }
    }
}

impl<'a> From<&'a v1::FileFacts> for FileFacts<'a> {
    fn from(f: &'a v1::FileFacts) -> Self {
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
            package: f.package.as_deref(),
            package_intact: f.package_intact,
        }
    }
}

impl<'a> From<&'a v1::ProcessFacts> for ProcessFacts<'a> {
    fn from(p: &'a v1::ProcessFacts) -> Self {
        Self {
            pid: p.process.as_ref().map(|r| r.pid),
            ppid: p.ppid,
            exe: lossy(&p.exe),
            exe_b64: exact(&p.exe),
            cmdline: escape::arguments(&p.cmdline).map(lossy).collect(),
            uid: p.uid,
            euid: p.euid,
            gid: p.gid,
            started_at: time::rfc3339(p.started_ms),
            sha256: hex(&p.sha256),
            container: p.container.as_deref(),
            unit: p.unit.as_deref(),
        }
    }
}

impl<'a> From<&'a v1::ActionRecord> for ActionRecord<'a> {
    fn from(r: &'a v1::ActionRecord) -> Self {
        Self {
            at: time::rfc3339(r.at_ms),
            action: &r.action,
            outcome: &r.outcome,
            reason: &r.reason,
            target: &r.target,
        }
    }
}
