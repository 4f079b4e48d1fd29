// SPDX-License-Identifier: Apache-2.0
//! Messages that were given up: looked at, sent again, forgotten.

use super::extract::{Empty, Json, Path, Query};
use super::gate::Access;
use super::page::{PageOf, cursor};
use super::permission::Permission;
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, delete, get, post};
use super::state::Api;
use super::target_view::TargetTest;
use crate::json::some;
use crate::time;
use axum::extract::State;
use lazaret_store::DeadLetterRow;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A message that was given up.
#[derive(Serialize, ToSchema)]
struct DeadLetter {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = Uuid)]
    target: String,
    /// Absent: every project.
    project: Option<String>,
    subject: String,
    /// How many alarms it is about.
    alarms: i64,
    #[schema(format = DateTime)]
    failed_at: String,
    attempts: i64,
    /// Of the last try.
    error: String,
}

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct DeadLetterQuery {
    /// Of this target.
    #[param(format = Uuid)]
    target: Option<String>,
    after: Option<String>,
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

pub(crate) fn routes(r: &mut Routes) {
    let p = Permission::Administer;
    r.add(
        Permission::View,
        get("/dead-letters", "listDeadLetters", "Messages that were given up, newest first")
            .query::<DeadLetterQuery>()
            .page::<DeadLetter>(),
        list,
    );
    r.add(
        p,
        post("/dead-letters/{id}/retry", "retryDeadLetter", "Send one again, and forget it when it arrives")
            .answers::<TargetTest>(200),
        retry,
    );
    r.add(p, delete("/dead-letters/{id}", "deleteDeadLetter", "Forget one").answers_empty(), remove);
}

fn view(d: DeadLetterRow) -> DeadLetter {
    DeadLetter {
        id: d.id,
        target: d.target,
        project: some(&d.project),
        subject: d.subject,
        alarms: d.alarms,
        failed_at: time::rfc3339(d.failed_ms),
        attempts: d.attempts,
        error: d.error,
    }
}

async fn within(api: &Api, access: &Access, id: &str) -> Result<DeadLetterRow, Problem> {
    access.check(api.store.dead_letter(id).await, |d| &d.project, "undelivered message", id)
}

async fn list(
    State(api): State<Api>,
    access: Access,
    Query(q): Query<DeadLetterQuery>,
) -> Result<Json<PageOf<DeadLetter>>, Problem> {
    let target = q.target.unwrap_or_default();
    let page = api.store.dead_letters_page(&access.scope, &target, &cursor(q.after, q.limit)?).await?;
    Ok(Json(PageOf::of(page, view)))
}

async fn retry(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<TargetTest>, Problem> {
    let letter = within(&api, &access, &id).await?;
    let target = super::targets::within(&api, &access, &letter.target).await?;
    let sent = lazaret_notify::retry(&api.outbound, &target, &letter).await;
    match &sent {
        Ok(()) => {
            api.store.delete_dead_letter(&id).await?;
        }
        Err(e) => {
            let tried = DeadLetterRow {
                attempts: letter.attempts + 1,
                failed_ms: time::now_ms(),
                error: e.to_string(),
                ..letter.clone()
            };
            api.store.put_dead_letter(&tried).await?;
        }
    }
    let result = TargetTest::of(sent);
    Record::new(&access, &letter.project, "dead_letter.retry", format!("dead_letter {id}"))
        .after(&result)
        .write(&api)
        .await?;
    Ok(Json(result))
}

async fn remove(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let letter = within(&api, &access, &id).await?;
    let record = Record::new(&access, &letter.project, "dead_letter.delete", format!("dead_letter {id}"));
    record.before(&letter.subject).on(&api).delete_dead_letter(&id).await?;
    Ok(Empty)
}
