// SPDX-License-Identifier: Apache-2.0
//! The small answers: receipts, whitelist entries, events, checks, failures.

use super::{exact, hex, lossy, some};
use crate::error::CliError;
use crate::time;
use lazaret_proto::v1;
use serde::Serialize;

/// It was done.
#[derive(Debug, Serialize)]
pub(crate) struct Done<'a> {
    r#type: &'static str,
    message: &'a str,
}

impl<'a> Done<'a> {
    pub(crate) fn new(message: &'a str) -> Self {
        Self { r#type: "done", message }
    }
}

/// The verb failed; also said on stderr.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    r#type: &'static str,
    kind: &'static str,
    message: String,
}

impl From<&CliError> for Failure {
    fn from(e: &CliError) -> Self {
        Self { r#type: "failure", kind: e.kind(), message: e.to_string() }
    }
}

/// What a restore brought back and what it could not.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt<'a> {
    r#type: &'static str,
    id: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    outcome: &'a str,
    reason: &'a str,
    lines: Vec<ReceiptLine<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    next: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restarts: Vec<Restart<'a>>,
}

#[derive(Debug, Serialize)]
struct Restart<'a> {
    unit: &'a str,
    outcome: &'a str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct ReceiptLine<'a> {
    attribute: &'a str,
    before: &'a str,
    after: &'a str,
    same: bool,
    note: &'a str,
}

impl<'a> From<&'a v1::Receipt> for Receipt<'a> {
    fn from(r: &'a v1::Receipt) -> Self {
        Self {
            r#type: "receipt",
            id: &r.id,
            path: lossy(&r.path),
            path_b64: exact(&r.path),
            outcome: &r.outcome,
            reason: &r.reason,
            lines: r
                .lines
                .iter()
                .map(|l| ReceiptLine {
                    attribute: &l.attribute,
                    before: &l.before,
                    after: &l.after,
                    same: l.same,
                    note: &l.note,
                })
                .collect(),
            restarts: r
                .restarts
                .iter()
                .map(|a| Restart { unit: &a.target, outcome: &a.outcome, reason: &a.reason })
                .collect(),
            next: &r.next,
        }
    }
}

/// A content that was written out of the vault.
#[derive(Debug, Serialize)]
pub(crate) struct Export<'a> {
    r#type: &'static str,
    id: &'a str,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    manifest: Option<String>,
    sha256: String,
    size: u64,
    verified: bool,
}

impl<'a> Export<'a> {
    /// `manifest` is the file beside it; without one nothing could be compared.
    pub(crate) fn new(id: &'a str, path: &[u8], manifest: Option<&[u8]>, content: (String, u64)) -> Self {
        Self {
            r#type: "export",
            id,
            path: lossy(path),
            path_b64: exact(path),
            manifest: manifest.map(lossy),
            sha256: content.0,
            size: content.1,
            verified: manifest.is_some(),
        }
    }
}

/// One entry of the whitelist.
#[derive(Debug, Serialize)]
pub(crate) struct WhitelistEntry<'a> {
    r#type: &'static str,
    id: &'a str,
    field: &'a str,
    judge: &'a str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_b64: Option<String>,
    sha256: Option<String>,
    any_content: bool,
    description: &'a str,
    added_at: String,
    added_by: &'a str,
    hits: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    class: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    source: &'a str,
}

impl<'a> From<&'a v1::WhitelistEntry> for WhitelistEntry<'a> {
    fn from(w: &'a v1::WhitelistEntry) -> Self {
        Self {
            r#type: "whitelist_entry",
            id: &w.id,
            field: &w.field,
            judge: &w.judge,
            value: lossy(&w.value),
            value_b64: exact(&w.value),
            sha256: hex(&w.sha256),
            any_content: w.any_content,
            description: &w.description,
            added_at: time::rfc3339(w.added_ms),
            added_by: &w.added_by,
            hits: w.hits,
            class: &w.class,
            expires_at: (w.expires_ms > 0).then(|| time::rfc3339(w.expires_ms)),
            source: &w.source,
        }
    }
}

/// One line of the event stream.
#[derive(Debug, Serialize)]
pub(crate) struct Event<'a> {
    r#type: &'static str,
    at: String,
    seq: u64,
    kind: &'a str,
    text: &'a str,
    alarm: Option<&'a str>,
}

impl<'a> From<&'a v1::Event> for Event<'a> {
    fn from(e: &'a v1::Event) -> Self {
        Self {
            r#type: "event",
            at: time::rfc3339(e.at_ms),
            seq: e.seq,
            kind: &e.kind,
            text: &e.text,
            alarm: some(&e.alarm),
        }
    }
}

/// Whether an isolated file is whole in the vault.
#[derive(Debug, Serialize)]
pub(crate) struct Verify<'a> {
    r#type: &'static str,
    id: &'a str,
    ok: bool,
    reason: &'a str,
    finding: Option<&'a str>,
}

impl<'a> From<&'a v1::VerifyResult> for Verify<'a> {
    fn from(v: &'a v1::VerifyResult) -> Self {
        Self { r#type: "verify", id: &v.id, ok: v.ok, reason: &v.reason, finding: some(&v.finding) }
    }
}
