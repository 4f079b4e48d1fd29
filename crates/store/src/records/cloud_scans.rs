// SPDX-License-Identifier: Apache-2.0
//! Malware Cloud Scan: samples, and the scans that they are kept for.

use crate::{Cursor, NewVerdict};

/// A host begins to send a sample, or goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewSample {
    /// Whose.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bytes, as the host says.
    pub size: i64,
    /// `executable`, `script`.
    pub kind: String,
    /// Who sends it.
    pub host: String,
    /// Another host that has sent nothing of it since then is given up; this one takes its place.
    pub silent_since_ms: i64,
    /// Kept until then; 0: until somebody deletes it.
    pub expires_ms: i64,
    /// Now.
    pub now_ms: i64,
}

/// A sample of a project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SampleRow {
    /// Whose.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// Bytes.
    pub size: i64,
    /// `executable`, `script`.
    pub kind: String,
    /// Who sends or sent it.
    pub host: String,
    /// `receiving`, `stored`, `failed` (may be sent again after `retry_ms`), `deleting`, `deleted`.
    pub state: String,
    /// Bytes that have come.
    pub have: i64,
    /// When its first byte was to come.
    pub began_ms: i64,
    /// Last change.
    pub updated_ms: i64,
    /// When it was whole; 0: not yet.
    pub stored_ms: i64,
    /// Kept until then; 0: until somebody deletes it.
    pub expires_ms: i64,
    /// How often it came wrong.
    pub failures: i64,
    /// Not sent again before.
    pub retry_ms: i64,
    /// Of the last failure.
    pub reason: String,
    /// Legal hold: it is not deleted, whatever anybody says.
    pub hold: bool,
    /// Who set or ended it.
    pub hold_by: String,
    /// Why.
    pub hold_why: String,
    /// When.
    pub hold_ms: i64,
    /// Who deleted it; empty: its time was over. What a person deleted is not asked for again.
    pub deleted_by: String,
    /// Why.
    pub deleted_why: String,
    /// When.
    pub deleted_ms: i64,
}

/// Which samples; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct SamplesQuery {
    /// Of this project, always.
    pub project: String,
    /// Any of these.
    pub states: Vec<String>,
    /// Exact.
    pub host: String,
    /// Under legal hold, or not.
    pub hold: Option<bool>,
    /// Newest first.
    pub page: Cursor,
}

/// A deep scan of a sample: one for each file of a project; a new scan of the same file takes its row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeepScanRow {
    /// Identity.
    pub id: String,
    /// Whose.
    pub project: String,
    /// 32 bytes.
    pub sha256: Vec<u8>,
    /// `queued`, `scanning`, `done`, `set_aside`, `cancelled` (the sample was deleted).
    pub state: String,
    /// Not taken before; while `scanning`: when the lease runs out.
    pub due_ms: i64,
    /// When somebody wanted it.
    pub queued_ms: i64,
    /// When a worker took it last; 0: none did.
    pub started_ms: i64,
    /// 0: not yet.
    pub finished_ms: i64,
    /// Who has it, or had it last.
    pub worker: String,
    /// How often it was taken since it was queued.
    pub tries: i64,
    /// How often it ended its scanner, or its worker, since it was queued.
    pub crashes: i64,
    /// Why it was given back or set aside last.
    pub reason: String,
    /// `clean`, `bad`, `unknown` (nobody could say); empty: not done yet.
    pub standing: String,
    /// JSON, as the worker gave it.
    pub votes: String,
    /// Encoded, as the worker gave it.
    pub report: Vec<u8>,
}

/// Which deep scans; empty fields do not filter.
#[derive(Debug, Clone, Default)]
pub struct DeepScansQuery {
    /// Of this project, always.
    pub project: String,
    /// Any of these.
    pub states: Vec<String>,
    /// Any of these words.
    pub standings: Vec<String>,
    /// Newest first. `report` is left out of lists.
    pub page: Cursor,
}

/// What a deep scan found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeepScanEnd {
    /// `clean`, `bad` (then there is a verdict), `unknown`.
    pub standing: String,
    /// Encoded.
    pub report: Vec<u8>,
    /// JSON.
    pub votes: String,
    /// Put in the same transaction; its project and file are those of the scan.
    pub verdict: Option<NewVerdict>,
    /// Now.
    pub now_ms: i64,
}

/// What became of a job that was given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenBack {
    /// Somebody takes it again.
    Queued,
    /// It ended its scanner too often: nobody does, until a person says so.
    SetAside,
}
