// SPDX-License-Identifier: Apache-2.0
//! The audit log: every write of a person, chained so that a change of the past shows.

use super::extract::{Json, Query};
use super::gate::Access;
use super::page::{PageOf, cursor, moment};
use super::permission::Permission;
use super::problem::Problem;
use super::route::{Routes, get};
use super::state::Api;
use crate::time;
use axum::extract::State;
use lazaret_store::{AuditFilter, AuditRow};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One write.
#[derive(Debug, Serialize, ToSchema)]
struct AuditEntry {
    seq: i64,
    #[schema(format = DateTime)]
    at: String,
    who: String,
    address: String,
    project: Option<String>,
    action: String,
    target: String,
    /// As it was, in JSON.
    #[schema(value_type = Option<Object>)]
    before: Option<serde_json::Value>,
    /// As it became, in JSON.
    #[schema(value_type = Option<Object>)]
    after: Option<serde_json::Value>,
    outcome: String,
    /// Over this row and the hash of the row before it.
    hash: String,
}

/// Whether the chain is whole.
#[derive(Serialize, ToSchema)]
struct AuditVerification {
    whole: bool,
    rows: u64,
    /// First row that does not fit.
    broken_at: Option<i64>,
    reason: Option<String>,
}

/// Filters of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    #[param(max_length = 64)]
    who: Option<String>,
    /// Exact, or with a dot at its end everything below.
    #[param(max_length = 64)]
    action: Option<String>,
    /// Part of the target.
    #[param(max_length = 200)]
    target: Option<String>,
    #[param(format = DateTime)]
    since: Option<String>,
    #[param(format = DateTime)]
    until: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::Audit,
        get("/audit", "listAudit", "What people wrote, newest first")
            .query::<AuditQuery>()
            .page::<AuditEntry>(),
        list,
    );
    r.add(
        Permission::AuditAll,
        get("/audit/verify", "verifyAudit", "Whether the log is as it was written")
            .answers::<AuditVerification>(200),
        verify,
    );
}

/// What was kept as JSON; a text that is none goes as it is.
fn value(text: &str) -> Option<serde_json::Value> {
    if text.is_empty() {
        return None;
    }
    Some(match serde_json::from_str(text) {
        Ok(v @ serde_json::Value::Object(_)) => v,
        Ok(v) => serde_json::json!({ "value": v }),
        Err(_) => serde_json::json!({ "value": text }),
    })
}

fn view(a: &AuditRow) -> AuditEntry {
    AuditEntry {
        seq: a.seq,
        at: time::rfc3339(a.at_ms),
        who: a.who.clone(),
        address: a.address.clone(),
        project: crate::json::some(&a.project),
        action: a.action.clone(),
        target: a.target.clone(),
        before: value(&a.before),
        after: value(&a.after),
        outcome: a.outcome.clone(),
        hash: a.hash.iter().map(|b| format!("{b:02x}")).collect(),
    }
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<AuditQuery>,
) -> Result<Json<PageOf<AuditEntry>>, Problem> {
    let filter = AuditFilter {
        who: q.who.unwrap_or_default(),
        action: q.action.unwrap_or_default(),
        target: q.target.unwrap_or_default(),
        since_ms: moment("since", q.since.as_deref())?,
        until_ms: moment("until", q.until.as_deref())?,
    };
    let page = api.store.audit_page(&access.scope, &filter, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, |a| view(&a))))
}

async fn verify(State(api): State<Api>, _: Access) -> Result<Json<AuditVerification>, Problem> {
    let check = api.store.verify_audit().await?;
    Ok(Json(AuditVerification {
        whole: check.broken.is_none(),
        rows: check.rows,
        broken_at: check.broken.as_ref().map(|b| b.0),
        reason: check.broken.map(|b| b.1),
    }))
}
