// SPDX-License-Identifier: Apache-2.0
//! What goes out to people and other systems.

/// A place that alarms are told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// Identity.
    pub id: String,
    /// Whose; empty: of every project.
    pub project: String,
    /// Unique within the project.
    pub name: String,
    /// `email`, `webhook`, `file`, `http`, `syslog`.
    pub kind: String,
    /// JSON that the API shows.
    pub settings: String,
    /// JSON that it never shows.
    pub secrets: String,
    /// Off: what comes meanwhile is kept for it.
    pub enabled: bool,
    /// Counts up with each change; its `ETag`.
    pub revision: i64,
    /// Last change.
    pub updated_ms: i64,
    /// Who made it.
    pub updated_by: String,
}

/// How far a target is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetState {
    /// Which.
    pub target: String,
    /// All notices up to this one are delivered or given up.
    pub cursor: i64,
    /// Last notice of the message that is on its way; not above `cursor`: none is.
    pub pending_to: i64,
    /// Tries of that message that failed.
    pub failures: i64,
    /// Not tried before.
    pub retry_ms: i64,
    /// When the next digest is due; 0: not known yet.
    pub digest_ms: i64,
    /// Messages or events that were delivered.
    pub sent: i64,
    /// Notices that were dropped before it took them.
    pub missed: i64,
    /// Last success, 0.
    pub ok_ms: i64,
    /// Of the last failure.
    pub error: String,
    /// Last failure, 0.
    pub error_ms: i64,
}

/// Something was written that targets may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// In the table of arrivals.
    pub seq: i64,
    /// `alarm`, `isolated`.
    pub kind: String,
    /// Which.
    pub id: String,
}

/// What was told of something, in the words of who tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// `alarm`, `isolated`.
    pub kind: String,
    /// Which.
    pub id: String,
    /// Opaque here.
    pub state: String,
    /// Last told.
    pub at_ms: i64,
}

/// One thing to tell; in an order that no reader sees with gaps that fill later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// 0 until it is written.
    pub seq: i64,
    /// Whose.
    pub project: String,
    /// Where.
    pub host: String,
    /// `alarm`, `file`, `process`.
    pub kind: String,
    /// Alarm, or isolated file.
    pub about: String,
    /// What happened to it.
    pub word: String,
    /// When that was.
    pub at_ms: i64,
    /// When it was noted.
    pub noted_ms: i64,
    /// Of the alarm.
    pub severity: i64,
    /// Same.
    pub class: String,
    /// Same.
    pub test: bool,
    /// JSON of who tells.
    pub detail: String,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// Identity.
    pub id: String,
    /// Where it should have gone.
    pub target: String,
    /// Of the target.
    pub project: String,
    /// For people.
    pub subject: String,
    /// JSON of who tells.
    pub body: String,
    /// How many it is about.
    pub alarms: i64,
    /// Last try.
    pub failed_ms: i64,
    /// Tries.
    pub attempts: i64,
    /// Of the last one.
    pub error: String,
}
