// SPDX-License-Identifier: Apache-2.0
//! An entry as JSON, and its tag.

use crate::json::{exact, hex, lossy, some};
use crate::time;
use lazaret_store::WhitelistRow;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

/// A whitelist entry.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct WhitelistEntry {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    /// `project`, `group`, `host`.
    scope: String,
    /// Group or host.
    scope_id: Option<String>,
    field: String,
    judge: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_b64: Option<String>,
    sha256: Option<String>,
    any_content: bool,
    class: Option<String>,
    description: String,
    owner: String,
    added_by: String,
    #[schema(format = DateTime)]
    added_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    expired: bool,
    alarm: Option<String>,
    hits_total: i64,
    hits_today: i64,
    #[schema(format = DateTime)]
    last_hit_at: Option<String>,
}

/// Days since 1970 of now.
pub(super) fn today() -> i64 {
    time::now_ms().div_euclid(time::DAY_MS)
}

pub(super) fn shown(w: &WhitelistRow) -> WhitelistEntry {
    let is_hash = w.field == "hash";
    WhitelistEntry {
        id: w.id.clone(),
        project: w.project.clone(),
        scope: w.scope.clone(),
        scope_id: some(&w.scope_id),
        field: w.field.clone(),
        judge: w.judge.clone(),
        value: hex(&w.value).filter(|_| is_hash).unwrap_or_else(|| lossy(&w.value)),
        value_b64: exact(&w.value).filter(|_| !is_hash),
        sha256: hex(&w.sha256),
        any_content: w.any_content,
        class: some(&w.class),
        description: w.description.clone(),
        owner: w.owner.clone(),
        added_by: w.added_by.clone(),
        added_at: time::rfc3339(w.added_ms),
        expires_at: time::some_rfc3339(w.expires_ms),
        expired: w.expires_ms != 0 && w.expires_ms <= time::now_ms(),
        alarm: some(&w.alarm),
        hits_total: w.hits_total,
        hits_today: if w.hits_day == today() { w.hits_today } else { 0 },
        last_hit_at: time::some_rfc3339(w.last_hit_ms),
    }
}

/// Of what can be changed; an entry has no revision of its own. The first 63 bits of a digest.
pub(super) fn tag(w: &WhitelistRow) -> i64 {
    let text = format!("{}\0{}\0{}\0{}", w.description, w.owner, w.class, w.expires_ms);
    let digest = Sha256::digest(text.as_bytes());
    let first = digest.iter().take(8).fold(0u64, |n, b| n << 8 | u64::from(*b));
    i64::try_from(first >> 1).unwrap_or_default()
}
