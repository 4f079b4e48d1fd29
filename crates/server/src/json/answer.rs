// SPDX-License-Identifier: Apache-2.0
//! What commands bring back: receipts and checks.

use super::{exact, lossy, some};
use lazaret_proto::v1;
use serde::Serialize;
use utoipa::ToSchema;

/// What a restore brought back and what it could not.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Receipt {
    r#type: String,
    id: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    outcome: String,
    reason: String,
    lines: Vec<ReceiptLine>,
    #[serde(skip_serializing_if = "String::is_empty")]
    next: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    restarts: Vec<Restart>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct Restart {
    unit: String,
    outcome: String,
    reason: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
struct ReceiptLine {
    attribute: String,
    before: String,
    after: String,
    same: bool,
    note: String,
}

impl From<&v1::Receipt> for Receipt {
    fn from(r: &v1::Receipt) -> Self {
        Self {
            r#type: "receipt".to_owned(),
            id: r.id.clone(),
            path: lossy(&r.path),
            path_b64: exact(&r.path),
            outcome: r.outcome.clone(),
            reason: r.reason.clone(),
            lines: r
                .lines
                .iter()
                .map(|l| ReceiptLine {
                    attribute: l.attribute.clone(),
                    before: l.before.clone(),
                    after: l.after.clone(),
                    same: l.same,
                    note: l.note.clone(),
                })
                .collect(),
            restarts: r
                .restarts
                .iter()
                .map(|a| Restart {
                    unit: a.target.clone(),
                    outcome: a.outcome.clone(),
                    reason: a.reason.clone(),
                })
                .collect(),
            next: r.next.clone(),
        }
    }
}

/// Whether an isolated file is whole in the vault.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Verify {
    r#type: String,
    id: String,
    ok: bool,
    reason: String,
    finding: Option<String>,
}

impl From<&v1::VerifyResult> for Verify {
    fn from(v: &v1::VerifyResult) -> Self {
        Self {
            r#type: "verify".to_owned(),
            id: v.id.clone(),
            ok: v.ok,
            reason: v.reason.clone(),
            finding: some(&v.finding),
        }
    }
}
