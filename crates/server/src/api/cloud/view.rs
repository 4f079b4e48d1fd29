// SPDX-License-Identifier: Apache-2.0
//! Files, verdicts and deep scans as JSON.

use crate::json::{self, hex, some};
use crate::time;
use lazaret_proto::{Message as _, v1};
use lazaret_store::{DeepScanRow, FileRow, Standing, VerdictRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A content in a project.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FileItem {
    project: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    size: i64,
    /// `executable`, `script`; null: no host has said.
    kind: Option<String>,
    /// Locality-sensitive digest; null: not computed.
    tlsh: Option<String>,
    /// As hosts are answered: `unknown`, `pending`, `clean`, `known_good`, `bad`. Lists of known files go
    /// before what was found out, and a person's word before both.
    standing: String,
    #[schema(format = DateTime)]
    standing_since: String,
    /// A person said so: no scan changes it.
    settled: bool,
    /// In force; null: none.
    verdict: Option<FileJudged>,
    #[schema(format = DateTime)]
    first_seen_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// The host that had it first.
    #[schema(format = Uuid)]
    first_host: Option<String>,
    /// Hosts of the project that have it now.
    pub(super) hosts: i64,
    /// Of them those where a package owns it, unchanged.
    packaged_hosts: i64,
}

/// What it was judged to be, in short.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct FileJudged {
    class: String,
    family: String,
    #[schema(minimum = 0, maximum = 100)]
    confidence: i64,
    rating: String,
}

/// What a list of known files in the content says.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FileKnown {
    bad: bool,
    /// The list.
    source: String,
    /// Of the malware, or of the product.
    name: String,
}

/// What hosts are told of a content.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct FileVerdict {
    /// Counts up in the project; a change is a new number.
    number: i64,
    class: String,
    family: String,
    #[schema(minimum = 0, maximum = 100)]
    confidence: i64,
    rating: String,
    /// `deep_scan`, `person`, `content`.
    origin: String,
    /// Who, of a person.
    by: Option<String>,
    reason: String,
    #[schema(format = DateTime)]
    at: String,
    /// `canary`: canary hosts isolate and kill, all others refuse it until `release_at`; `all`.
    act: String,
    /// Null with `canary`: only when a person says so.
    #[schema(format = DateTime)]
    release_at: Option<String>,
    released_by: Option<String>,
    #[schema(format = DateTime)]
    released_at: Option<String>,
    withdrawn: bool,
    /// Null of one that was withdrawn: no person did.
    withdrawn_by: Option<String>,
    withdrawn_reason: Option<String>,
    #[schema(format = DateTime)]
    withdrawn_at: Option<String>,
}

/// What another scanner or service said of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub(super) struct FileVote {
    /// The connector.
    #[serde(default)]
    connector: String,
    /// Whose word it is: votes of one source count once.
    #[serde(default)]
    source: String,
    /// `bad`, `good`, `unknown`, `none` (it did not answer).
    #[serde(default)]
    opinion: String,
    #[serde(default)]
    weight: f32,
    #[serde(default)]
    family: String,
    /// In their words, or why there is no vote.
    #[serde(default)]
    detail: String,
}

/// A deep scan of a sample.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct DeepScan {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// `queued`, `scanning`, `done`, `set_aside` (it ended the scanner too often), `cancelled` (its sample was
    /// deleted).
    state: String,
    /// Who scans it now, or did last.
    worker: Option<String>,
    tries: i64,
    /// How often it ended its scanner or worker.
    crashes: i64,
    /// Why it was given back or set aside last.
    reason: String,
    /// What came of it: `clean`, `bad`, `unknown`.
    standing: Option<String>,
    #[schema(format = DateTime)]
    queued_at: String,
    /// Not begun before.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    #[schema(format = DateTime)]
    started_at: Option<String>,
    #[schema(format = DateTime)]
    finished_at: Option<String>,
}

fn digest(sha256: &[u8]) -> String {
    hex(sha256).unwrap_or_default()
}

/// `s`: what hosts are answered about it; absent where only the row is known.
pub(super) fn file(f: &FileRow, s: Option<&Standing>) -> FileItem {
    let judged = s.and_then(|s| s.verdict.as_ref()).map(|v| FileJudged {
        class: v.class.clone(),
        family: v.family.clone(),
        confidence: v.confidence,
        rating: v.rating.clone(),
    });
    FileItem {
        project: f.project.clone(),
        sha256: digest(&f.sha256),
        size: f.size,
        kind: some(&f.kind),
        tlsh: some(&f.tlsh),
        standing: s.map_or_else(|| f.standing.clone(), |s| s.standing.clone()),
        standing_since: time::rfc3339(f.standing_ms),
        settled: f.settled,
        verdict: judged,
        first_seen_at: time::rfc3339(f.first_ms),
        last_seen_at: time::rfc3339(f.last_ms),
        first_host: some(&f.first_host),
        hosts: f.hosts,
        packaged_hosts: f.packaged_hosts,
    }
}

pub(super) fn known(s: &Standing) -> Option<FileKnown> {
    s.known.as_ref().map(|k| FileKnown { bad: k.bad, source: k.source.clone(), name: k.name.clone() })
}

pub(super) fn verdict(v: &VerdictRow) -> FileVerdict {
    FileVerdict {
        number: v.number,
        class: v.class.clone(),
        family: v.family.clone(),
        confidence: v.confidence,
        rating: v.rating.clone(),
        origin: v.origin.clone(),
        by: some(&v.who),
        reason: v.why.clone(),
        at: time::rfc3339(v.at_ms),
        act: v.act.clone(),
        release_at: if v.act == "canary" { time::some_rfc3339(v.release_ms) } else { None },
        released_by: some(&v.released_by),
        released_at: time::some_rfc3339(v.released_ms),
        withdrawn: v.withdrawn,
        withdrawn_by: some(&v.withdrawn_by),
        withdrawn_reason: some(&v.withdrawn_why),
        withdrawn_at: time::some_rfc3339(v.withdrawn_ms),
    }
}

/// With the evidence, as hosts get it.
pub(super) fn judged(v: &VerdictRow) -> Option<json::Verdict> {
    let decoded = v1::Verdict::decode(v.verdict.as_slice()).ok()?;
    Some((&decoded).into())
}

/// The votes of a scan; what no program of ours wrote is left out.
pub(super) fn votes(s: &DeepScanRow) -> Vec<FileVote> {
    let votes: Vec<FileVote> = serde_json::from_str(&s.votes).unwrap_or_default();
    votes
        .into_iter()
        .map(|v| FileVote { weight: if v.weight.is_finite() { v.weight } else { 0.0 }, ..v })
        .collect()
}

pub(super) fn deep_scan(s: &DeepScanRow) -> DeepScan {
    DeepScan {
        id: s.id.clone(),
        project: s.project.clone(),
        sha256: digest(&s.sha256),
        state: s.state.clone(),
        worker: some(&s.worker),
        tries: s.tries,
        crashes: s.crashes,
        reason: s.reason.clone(),
        standing: some(&s.standing),
        queued_at: time::rfc3339(s.queued_ms),
        due_at: if s.state == "queued" { time::some_rfc3339(s.due_ms) } else { None },
        started_at: time::some_rfc3339(s.started_ms),
        finished_at: time::some_rfc3339(s.finished_ms),
    }
}
