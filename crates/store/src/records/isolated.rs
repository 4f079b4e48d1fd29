// SPDX-License-Identifier: Apache-2.0
//! Isolated files.

use crate::Position;

/// An isolated file. `details` is the encoded `Isolated`.
#[derive(Debug, Clone, PartialEq)]
pub struct IsolatedRow {
    /// Born on the host.
    pub id: String,
    /// Where.
    pub host: String,
    /// Whose.
    pub project: String,
    /// Raw bytes.
    pub path: Vec<u8>,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// Lazaret's word.
    pub class: String,
    /// For people.
    pub family: String,
    /// 0 to 100.
    pub confidence: i64,
    /// The nine words of DESIGN's table.
    pub status: String,
    /// Of a failure.
    pub reason: String,
    /// Alarm, or empty; what it needs of that alarm is in `alarm_title`.
    pub alarm: String,
    /// Outlives the alarm.
    pub alarm_title: String,
    /// `event`, `antivirus`.
    pub source: String,
    /// When.
    pub isolated_ms: i64,
    /// Last change.
    pub updated_ms: i64,
    /// Where in the host's journal the newest form stood.
    pub position: Position,
    /// Encoded `Isolated`.
    pub details: Vec<u8>,
}

/// Filters; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct IsolatedFilter {
    /// Exact.
    pub host: String,
    /// Part of the host's name.
    pub host_name: String,
    /// Any of these.
    pub statuses: Vec<String>,
    /// Exact, 32 bytes.
    pub sha256: Vec<u8>,
    /// Part of the path.
    pub path: String,
    /// By `updated_ms`.
    pub since_ms: Option<i64>,
    /// Before.
    pub until_ms: Option<i64>,
    /// These only.
    pub ids: Vec<String>,
    /// Of the host.
    pub importance: String,
}
