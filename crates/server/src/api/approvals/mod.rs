// SPDX-License-Identifier: Apache-2.0
//! Orders that wait for a second person, where a project wants that.

mod decide;
pub(crate) mod request;

use super::extract::{Json, Path, Query};
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::route::{Routes, get, post};
use super::state::Api;
use crate::json::some;
use crate::time;
use axum::extract::State;
use decide::Say;
use lazaret_store::{ApprovalRow, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Bytes of a request that a list shows whole.
const LONG: usize = 16 << 10;

/// What waits, or waited.
#[derive(Serialize, ToSchema)]
pub(super) struct Approval {
    #[schema(format = Uuid)]
    id: String,
    projects: Vec<String>,
    /// As in the audit log.
    action: String,
    title: String,
    /// What is done when it is approved: this and nothing else.
    #[schema(value_type = Object)]
    request: serde_json::Value,
    ordered_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// Not done after that.
    #[schema(format = DateTime)]
    expires_at: String,
    /// `pending`, `approved`, `rejected`, `cancelled`, `expired`.
    state: String,
    decided_by: Option<String>,
    #[schema(format = DateTime)]
    decided_at: Option<String>,
    remark: String,
    /// What came of it, for orders to hosts.
    #[schema(value_type = Option<Object>)]
    result: serde_json::Value,
}

/// Newest first, 200 at most; of long requests only the kind, the rest is with the one.
#[derive(Serialize, ToSchema)]
struct Approvals {
    items: Vec<Approval>,
}

/// Which.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ApprovalQuery {
    /// `pending`, `approved`, `rejected`, `cancelled`, `expired`; all without it.
    #[param(max_length = 16)]
    state: Option<String>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/approvals", "listApprovals", "Orders that wait for a second person, and what became of them")
            .query::<ApprovalQuery>()
            .answers::<Approvals>(200),
        list,
    );
    r.add(
        Permission::View,
        get("/approvals/{id}", "getApproval", "One of them").answers::<Approval>(200),
        show,
    );
    r.add(
        Permission::Administer,
        post("/approvals/{id}/approve", "approve", "Say yes: it is done, once, as it was asked for")
            .describe("By another user than the one who asked, signed in; who administers every project that it concerns.")
            .body::<Say>()
            .answers::<Approval>(200)
            .problem(409),
        decide::approve,
    );
    r.add(
        Permission::Administer,
        post("/approvals/{id}/reject", "reject", "Say no")
            .body::<Say>()
            .answers::<Approval>(200)
            .problem(409),
        decide::reject,
    );
    r.add(
        Permission::Operate,
        post("/approvals/{id}/cancel", "cancelApproval", "Take the own order back")
            .body::<Say>()
            .answers::<Approval>(200)
            .problem(409),
        decide::cancel,
    );
}

fn value(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_default()
}

pub(super) fn view(a: &ApprovalRow) -> Approval {
    let over = a.state == "pending" && a.expires_ms <= time::now_ms();
    Approval {
        id: a.id.clone(),
        projects: a.projects.clone(),
        action: a.action.clone(),
        title: a.title.clone(),
        request: value(&a.request),
        ordered_by: a.author.clone(),
        created_at: time::rfc3339(a.created_ms),
        expires_at: time::rfc3339(a.expires_ms),
        state: if over { "expired".to_owned() } else { a.state.clone() },
        decided_by: some(&a.decided_by),
        decided_at: time::some_rfc3339(a.decided_ms),
        remark: a.remark.clone(),
        result: value(&a.result),
    }
}

/// One whose projects are all within what the caller may.
pub(super) async fn within(api: &Api, access: &Access, id: &str) -> Result<ApprovalRow, Problem> {
    match api.store.approval(id).await {
        Ok(row) if !row.projects.is_empty() && row.projects.iter().all(|p| access.covers(p)) => Ok(row),
        Ok(_) | Err(StoreError::NotFound(_)) => Err(Problem::no("approval", id)),
        Err(e) => Err(e.into()),
    }
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<ApprovalQuery>,
) -> Result<Json<Approvals>, Problem> {
    let state = q.state.unwrap_or_default();
    if !["", "pending", "approved", "rejected", "cancelled", "expired"].contains(&state.as_str()) {
        return Err(Problem::invalid("state: pending, approved, rejected, cancelled or expired"));
    }
    let rows = api.store.approvals(&access.scope, &state).await?;
    let short = |a: &ApprovalRow| {
        let mut shown = view(a);
        if a.request.len() > LONG {
            shown.request = serde_json::json!({ "kind": shown.request["kind"] });
        }
        if a.result.len() > LONG {
            shown.result = serde_json::Value::Null;
        }
        shown
    };
    Ok(Json(Approvals { items: rows.iter().map(short).collect() }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Approval>, Problem> {
    Ok(Json(view(&within(&api, &access, &id).await?)))
}
