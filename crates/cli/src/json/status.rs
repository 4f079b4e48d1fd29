// SPDX-License-Identifier: Apache-2.0
//! `status --json`.

use super::{Cloud, Vault, exact, lossy};
use crate::render::Protection;
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;

/// The daemon's state.
#[derive(Debug, Serialize)]
pub(crate) struct Status<'a> {
    r#type: &'static str,
    protection: &'static str,
    degraded: &'a [String],
    isolate_and_kill: bool,
    safe_mode: bool,
    version: &'a str,
    pid: i32,
    started_at: String,
    state_dir: &'a str,
    content: Content<'a>,
    thresholds: Thresholds,
    automatic_classes: &'a [String],
    mounts: Vec<Mount<'a>>,
    workers: Vec<Worker>,
    jail_gaps: &'a [String],
    open_breakers: &'a [String],
    dry_run: bool,
    freeze_seconds: u32,
    windows: Vec<Window<'a>>,
    alarms_unhandled: u64,
    isolated: u64,
    counters: Counters,
    vault: Option<Vault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<Server<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<Cloud<'a>>,
}

/// The server that this host belongs to.
#[derive(Debug, Serialize)]
struct Server<'a> {
    url: &'a str,
    host: &'a str,
    connected: bool,
    since: String,
    error: &'a str,
    generation: u64,
    group: &'a str,
    refused: &'a [String],
    pinned: &'a [String],
    unsent: u64,
    certificate_until: Option<String>,
    refused_by_server: bool,
}

#[derive(Debug, Serialize)]
struct Content<'a> {
    version: &'a str,
    rules: u32,
    known_bad: u64,
    known_good: u64,
    problems: Vec<Problem<'a>>,
}

#[derive(Debug, Serialize)]
struct Problem<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct Thresholds {
    high: u32,
    medium: u32,
}

#[derive(Debug, Serialize)]
struct Mount<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    fs_type: &'a str,
    source: &'a str,
    configured: &'a str,
    effective: &'a str,
    reason: &'a str,
    found_by_process: bool,
}

/// What is frozen now.
#[derive(Debug, Serialize)]
struct Window<'a> {
    alarm: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    until: String,
    processes: u32,
}

#[derive(Debug, Serialize)]
struct Worker {
    pid: i32,
    scanned: u64,
    busy: bool,
}

#[derive(Debug, Serialize)]
struct Counters {
    events_exec: u64,
    events_open: u64,
    events_write: u64,
    events_moved: u64,
    allowed_own: u64,
    allowed_cached: u64,
    scanned: u64,
    denied: u64,
    deadline_missed: u64,
    scan_errors: u64,
    overflows: u64,
    workers_replaced: u64,
    isolated: u64,
    killed: u64,
}

impl<'a> From<&'a v1::Status> for Status<'a> {
    fn from(s: &'a v1::Status) -> Self {
        let content = s.content.as_ref();
        Self {
            r#type: "status",
            protection: Protection::of(s).word(),
            degraded: &s.degraded,
            isolate_and_kill: s.isolate_and_kill,
            safe_mode: s.safe_mode,
            version: &s.version,
            pid: s.pid,
            started_at: time::rfc3339(s.started_ms),
            state_dir: &s.state_dir,
            content: Content {
                version: &s.content_version,
                rules: content.map_or(0, |c| c.rules),
                known_bad: content.map_or(0, |c| c.known_bad),
                known_good: content.map_or(0, |c| c.known_good),
                problems: content.map_or(&[][..], |c| &c.problems).iter().map(Into::into).collect(),
            },
            thresholds: Thresholds { high: s.high_threshold, medium: s.medium_threshold },
            automatic_classes: &s.automatic_classes,
            mounts: s.mounts.iter().map(Into::into).collect(),
            workers: s
                .workers
                .iter()
                .map(|w| Worker { pid: w.pid, scanned: w.scanned, busy: w.busy })
                .collect(),
            jail_gaps: &s.jail_gaps,
            open_breakers: &s.open_breakers,
            dry_run: s.dry_run,
            freeze_seconds: s.freeze_seconds,
            windows: s.windows.iter().map(Into::into).collect(),
            alarms_unhandled: s.alarms_unhandled,
            isolated: s.isolated,
            counters: s.counters.unwrap_or_default().into(),
            vault: s.vault.as_ref().map(Into::into),
            server: s.server.as_ref().map(Into::into),
            cloud: s.cloud.as_ref().map(Into::into),
        }
    }
}

impl<'a> From<&'a v1::ServerLink> for Server<'a> {
    fn from(l: &'a v1::ServerLink) -> Self {
        Self {
            url: &l.url,
            host: &l.host,
            connected: l.connected,
            since: time::rfc3339(l.since_ms),
            error: &l.error,
            generation: l.generation,
            group: &l.group,
            refused: &l.refused,
            pinned: &l.pinned,
            unsent: l.unsent,
            certificate_until: (l.certificate_until_ms > 0).then(|| time::rfc3339(l.certificate_until_ms)),
            refused_by_server: l.refused_by_server,
        }
    }
}

impl<'a> From<&'a v1::ContentProblem> for Problem<'a> {
    fn from(p: &'a v1::ContentProblem) -> Self {
        Self { file: &p.file, line: p.line, column: p.column, message: &p.message }
    }
}

impl<'a> From<&'a v1::OpenWindow> for Window<'a> {
    fn from(w: &'a v1::OpenWindow) -> Self {
        Self {
            alarm: &w.alarm,
            path: lossy(&w.path),
            path_b64: exact(&w.path),
            until: time::rfc3339(w.until_ms),
            processes: w.processes,
        }
    }
}

impl<'a> From<&'a v1::MountStatus> for Mount<'a> {
    fn from(m: &'a v1::MountStatus) -> Self {
        Self {
            path: lossy(&m.path),
            path_b64: exact(&m.path),
            fs_type: &m.fs_type,
            source: &m.source,
            configured: &m.configured,
            effective: &m.effective,
            reason: &m.reason,
            found_by_process: m.found_by_process,
        }
    }
}

impl From<v1::Counters> for Counters {
    fn from(c: v1::Counters) -> Self {
        Self {
            events_exec: c.events_exec,
            events_open: c.events_open,
            events_write: c.events_write,
            events_moved: c.events_moved,
            allowed_own: c.allowed_own,
            allowed_cached: c.allowed_cached,
            scanned: c.scanned,
            denied: c.denied,
            deadline_missed: c.deadline_missed,
            scan_errors: c.scan_errors,
            overflows: c.overflows,
            workers_replaced: c.workers_replaced,
            isolated: c.isolated,
            killed: c.killed,
        }
    }
}
