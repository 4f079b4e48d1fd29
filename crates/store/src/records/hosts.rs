// SPDX-License-Identifier: Apache-2.0
//! Protected servers.

use crate::Position;

/// A protected server.
#[derive(Debug, Clone, PartialEq)]
pub struct HostRow {
    /// Also the common name of its certificate.
    pub id: String,
    /// Whose.
    pub project: String,
    /// Host group.
    pub group: Option<String>,
    /// As the host calls itself.
    pub name: String,
    /// `installing`, `installed`, `online`, `offline`, `install_failed`, `not_installed`.
    pub status: String,
    /// `important`, `common`, `test`.
    pub importance: String,
    /// Of the agent.
    pub version: String,
    /// `PRETTY_NAME`.
    pub os: String,
    /// `uname -r`.
    pub kernel: String,
    /// `x86_64` ...
    pub arch: String,
    /// Joined by commas, the first one first.
    pub addresses: String,
    /// Of its rules.
    pub content_version: String,
    /// `exec+open+write` on all that is configured: `full`; `partial`, `none`, `unknown` else.
    pub protection: String,
    /// Why it is not `full`, for people.
    pub protection_reason: String,
    /// When it was enrolled.
    pub enrolled_ms: i64,
    /// Heard of last.
    pub seen_ms: i64,
    /// Since when the status is what it is.
    pub status_ms: i64,
    /// Stopped in order: its silence is no alarm.
    pub stopped: bool,
    /// Certificate no longer taken.
    pub revoked: bool,
    /// Removed by a person; its alarms and isolated files stay.
    pub removed: bool,
    /// What it is to apply and has applied.
    pub generation: i64,
    /// Same.
    pub generation_applied: i64,
    /// What it refused of that, one reason a line.
    pub refused: String,
    /// Last acknowledged entry.
    pub acked: Position,
    /// `run` of its live session; empty without one.
    pub run: String,
    /// Gateway instance that holds it; empty without one.
    pub gateway: String,
    /// From its hello.
    pub machine_id: String,
    /// Same.
    pub boot_id: String,
    /// Serial number of its certificate, hexadecimal.
    pub serial: String,
    /// End of that certificate.
    pub certificate_until_ms: i64,
    /// Encoded `HostReport`.
    pub report: Vec<u8>,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct HostFilter {
    /// Part of name, id or address.
    pub text: String,
    /// Exact.
    pub status: String,
    /// Exact.
    pub group: String,
    /// Exact.
    pub importance: String,
    /// Exact.
    pub protection: String,
    /// These only.
    pub ids: Vec<String>,
    /// Removed ones too.
    pub removed: bool,
}

/// What a host says of itself, in its hello and in reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// As the host calls itself.
    pub name: String,
    /// Of the agent.
    pub version: String,
    /// `PRETTY_NAME`.
    pub os: String,
    /// `uname -r`.
    pub kernel: String,
    /// `x86_64` ...
    pub arch: String,
    /// Joined by commas, the first one first.
    pub addresses: String,
    /// Of its rules.
    pub content_version: String,
    /// `full`, `partial`, `none`, `unknown`.
    pub protection: String,
    /// Why it is not `full`, for people.
    pub protection_reason: String,
    /// Empty: leave what is known.
    pub machine_id: String,
    /// Empty: leave what is known.
    pub boot_id: String,
    /// Encoded `HostReport`.
    pub report: Vec<u8>,
}

/// Which hosts are to apply something new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One.
    Host(String),
    /// Those of a host group.
    Group(String),
    /// Those whose group has this policy group.
    PolicyGroup(String),
    /// Those of a project.
    Project(String),
    /// All.
    All,
}

/// How many hosts there are of each kind; removed ones are not counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostCounts {
    /// All.
    pub total: u64,
    /// By status.
    pub status: Vec<(String, u64)>,
    /// By protection.
    pub protection: Vec<(String, u64)>,
    /// By importance.
    pub importance: Vec<(String, u64)>,
}
