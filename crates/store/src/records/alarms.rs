// SPDX-License-Identifier: Apache-2.0
//! Alarms and how they are asked for.

use crate::Position;

/// An alarm. `details` is the encoded `Alarm`; the columns are what is asked by.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmRow {
    /// Born on the host.
    pub id: String,
    /// Where; a server's own alarms (a host fell silent, a clone) are about a host too.
    pub host: String,
    /// Whose.
    pub project: String,
    /// First seen.
    pub at_ms: i64,
    /// Seen last.
    pub last_ms: i64,
    /// When the server got its newest form, by the server's clock.
    pub received_ms: i64,
    /// How often.
    pub count: i64,
    /// 0 low, 1 medium, 2 high, 3 critical.
    pub severity: i64,
    /// Lazaret's word; empty for alarms about an agent.
    pub class: String,
    /// `high`, `medium`, `low`, or empty.
    pub rating: String,
    /// 0 to 100; -1 without a verdict.
    pub confidence: i64,
    /// For people.
    pub title: String,
    /// Raw bytes.
    pub path: Vec<u8>,
    /// 32 bytes, or empty.
    pub sha256: Vec<u8>,
    /// Of the acting process's program; 32 bytes, or empty.
    pub process_sha256: Vec<u8>,
    /// Raw bytes of the acting process's arguments, at most 4096.
    pub cmdline: Vec<u8>,
    /// User of the acting process, -1 unknown.
    pub uid: i64,
    /// Container of the acting process, or empty.
    pub container: String,
    /// `exec`, `written` ...
    pub origin: String,
    /// `allow`, `alarm`, `deny`, `isolate_and_kill`.
    pub decision: String,
    /// Acted on by policy.
    pub auto_block: bool,
    /// About a test program.
    pub test: bool,
    /// Isolated file, or empty.
    pub isolated: String,
    /// Dealt with.
    pub handled: bool,
    /// Handling's word, or empty.
    pub handled_by: String,
    /// `policy`, `uid N`, or a user of the server.
    pub handled_who: String,
    /// When, 0.
    pub handled_ms: i64,
    /// What they said.
    pub remark: String,
    /// Suppressed by a whitelist entry of the server (its id), or empty: not listed unless asked for.
    pub suppressed: String,
    /// `attack_blocked`, `attack_success` ...; told by the server from the rest.
    pub attack_tag: String,
    /// Of the kill chain, or empty.
    pub attack_phase: String,
    /// ATT&CK: `T1059.004`, or empty.
    pub technique: String,
    /// Where in the host's journal the newest form stood.
    pub position: Position,
    /// Encoded `Alarm`.
    pub details: Vec<u8>,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct AlarmFilter {
    /// Not before, by `last_ms`.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
    /// Exact.
    pub host: String,
    /// Of the host.
    pub group: String,
    /// Part of the host's name.
    pub host_name: String,
    /// Any of these.
    pub severities: Vec<i64>,
    /// Any of these.
    pub classes: Vec<String>,
    /// Any of these.
    pub ratings: Vec<String>,
    /// Dealt with or not.
    pub handled: Option<bool>,
    /// Acted on by policy or not.
    pub auto_block: Option<bool>,
    /// Test programs or not.
    pub test: Option<bool>,
    /// Exact, 32 bytes.
    pub sha256: Vec<u8>,
    /// Part of title or path. For a text without three characters in a row that an index knows (SQLite: any
    /// three; PostgreSQL: letters or digits), and for a common one beside other conditions that are common
    /// too, only so many of the newest are looked through for a page: its `total` counts those alone, and it
    /// may have a next one though it is not full.
    pub text: String,
    /// These only.
    pub ids: Vec<String>,
    /// Suppressed ones: only them.
    pub suppressed: bool,
    /// Of the host: `important`, `common`, `test`.
    pub importance: String,
    /// Part of one of the host's addresses.
    pub address: String,
    /// Exact.
    pub attack_tag: String,
    /// Exact.
    pub attack_phase: String,
    /// ATT&CK technique with those below it: `T1059` is also `T1059.004`.
    pub technique: String,
    /// Part of the container's id or name.
    pub container: String,
    /// The acting process was in a container or not.
    pub in_container: Option<bool>,
}

/// How many alarms there are of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmCounts {
    /// All that the filter lets through.
    pub total: u64,
    /// By severity, 0 to 3.
    pub severity: Vec<(i64, u64)>,
    /// By class.
    pub class: Vec<(String, u64)>,
    /// By rating.
    pub rating: Vec<(String, u64)>,
    /// Dealt with.
    pub handled: u64,
    /// Not dealt with.
    pub unhandled: u64,
    /// By day since 1970 (UTC) of `last_ms`, oldest first.
    pub day: Vec<(i64, u64)>,
    /// By importance of the host.
    pub importance: Vec<(String, u64)>,
}

/// By what another alarm is like this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// Same host and class.
    HostAndClass,
    /// Same content of the file.
    FileHash,
    /// Same content of the acting program.
    ProcessHash,
    /// Same arguments of the acting process.
    ProcessCmdline,
    /// Same user of the acting process.
    UserName,
    /// Kept for HSS's sake: alarms of Lazaret carry no remote address.
    RemoteIp,
    /// Kept for HSS's sake: Linux has no registry.
    RegKey,
}

/// One handling of one alarm, for the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlingRow {
    /// Which.
    pub alarm: String,
    /// Where.
    pub host: String,
    /// Whose.
    pub project: String,
    /// When.
    pub at_ms: i64,
    /// Handling's word.
    pub verb: String,
    /// `policy`, `uid N`, or a user of the server.
    pub who: String,
    /// What they said.
    pub remark: String,
    /// Of the alarm, then.
    pub title: String,
    /// Same.
    pub class: String,
    /// Same.
    pub severity: i64,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct HandlingFilter {
    /// Exact.
    pub alarm: String,
    /// Exact.
    pub host: String,
    /// Exact.
    pub verb: String,
    /// Not before.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
}
