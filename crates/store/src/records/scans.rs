// SPDX-License-Identifier: Apache-2.0
//! Virus scans: what is planned, what runs, how each host stands.

/// A plan of scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanPolicyRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// `quick`, `full`, `custom`.
    pub kind: String,
    /// JSON of the API: start, period, file types, folders, hosts, handling.
    pub settings: String,
    /// Begins by itself at that time; 0: never (again).
    pub next_ms: i64,
    /// Counts up with each change; its `ETag`.
    pub revision: i64,
    /// Last change.
    pub updated_ms: i64,
    /// Who made it.
    pub updated_by: String,
}

/// A scan of many hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanTaskRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Policy that it came from, or empty.
    pub policy: String,
    /// For people.
    pub name: String,
    /// `quick`, `full`, `custom`.
    pub kind: String,
    /// JSON of the API, as it was when it began.
    pub settings: String,
    /// `scanning`, `finish`.
    pub state: String,
    /// Who began it.
    pub who: String,
    /// When.
    pub created_ms: i64,
    /// End, 0.
    pub finished_ms: i64,
}

/// One host of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanHostRow {
    /// Of which task.
    pub task: String,
    /// Which host.
    pub host: String,
    /// Command that carries it, or empty while it waits for its turn.
    pub command: String,
    /// `waiting`, `scanning`, `paused`, `success`, `fail`, `cancel`.
    pub state: String,
    /// Not sent before (staggered).
    pub start_ms: i64,
    /// Begun, 0.
    pub started_ms: i64,
    /// Last news, 0.
    pub updated_ms: i64,
    /// End, 0.
    pub finished_ms: i64,
    /// Files looked at.
    pub files: i64,
    /// Bytes looked at.
    pub bytes: i64,
    /// Malicious ones.
    pub found: i64,
    /// Files that could not be looked at.
    pub errors: i64,
    /// Of 1000; an estimate.
    pub permille: i64,
    /// Of a failure.
    pub reason: String,
}

/// How a scan stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanSummary {
    /// Hosts.
    pub hosts: u64,
    /// By state.
    pub states: Vec<(String, u64)>,
    /// Malicious files.
    pub found: u64,
    /// Files looked at.
    pub files: u64,
    /// Mean over the hosts, of 1000.
    pub permille: u64,
}
