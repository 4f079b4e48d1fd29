// SPDX-License-Identifier: Apache-2.0
//! Files, verdicts and samples as JSON.

use crate::json::{self, hex, some};
use crate::time;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{DeepScanRow, FileRow, VerdictRow};
use serde::Serialize;
use utoipa::ToSchema;

/// A content in a project.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FileItem {
    project: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    size: i64,
    /// `executable`, `script`.
    kind: String,
    /// Locality-sensitive digest; null: not computed.
    tlsh: Option<String>,
    /// `unknown`, `pending`, `clean`, `known_good`, `bad`.
    standing: String,
    /// In force; null: none.
    verdict: Option<FileJudged>,
    #[schema(format = DateTime)]
    first_seen_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// Hosts of the project that have it now.
    hosts: i64,
    /// Of them those where a package owns it, unchanged.
    packaged_hosts: i64,
}

/// What it was judged to be, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FileJudged {
    class: String,
    family: String,
    #[schema(minimum = 0, maximum = 100)]
    confidence: i64,
}

/// What hosts are told of a content.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct FileVerdict {
    /// Counts up in the project; a change is a new number.
    pub(super) number: i64,
    class: String,
    family: String,
    confidence: i64,
    /// `deep_scan`, `person`, `content`.
    origin: String,
    /// `canary`: the canary group isolates and kills, all others refuse it until `release_at`; `all`.
    act: String,
    #[schema(format = DateTime)]
    release_at: Option<String>,
    withdrawn: bool,
    /// Who said so last, and why.
    by: String,
    reason: String,
    #[schema(format = DateTime)]
    at: String,
}

/// What another scanner or service said.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FileVote {
    /// The connector.
    source: String,
    /// In its own words.
    says: String,
}

/// A deep scan of a sample.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct DeepScan {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    state: String,
    /// Who scans it now, or did last.
    worker: Option<String>,
    attempts: i64,
    /// How often it ended the scanner.
    crashes: i64,
    /// Why it was given back or set aside.
    reason: String,
    #[schema(format = DateTime)]
    queued_at: String,
    #[schema(format = DateTime)]
    not_before: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

fn digest(sha256: &[u8]) -> String {
    hex(sha256).unwrap_or_default()
}

pub(super) fn file(f: &FileRow) -> FileItem {
    FileItem {
        project: f.project.clone(),
        sha256: digest(&f.sha256),
        size: f.size,
        kind: f.kind.clone(),
        tlsh: some(&f.tlsh),
        standing: f.standing.clone(),
        verdict: (f.standing == "bad").then(|| FileJudged {
            class: f.class.clone(),
            family: f.family.clone(),
            confidence: f.confidence,
        }),
        first_seen_at: time::rfc3339(f.first_ms),
        last_seen_at: time::rfc3339(f.last_ms),
        hosts: f.hosts,
        packaged_hosts: f.packaged_hosts,
    }
}
