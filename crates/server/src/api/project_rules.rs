// SPDX-License-Identifier: Apache-2.0
//! What a project asks of its people: a second factor, a second person.

use super::approvals::request::{self, Request};
use super::extract::{Accepted, IfMatch, Json, Path, Tagged};
use super::gate::Access;
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::projects;
use super::record::Record;
use super::route::{Routes, get, put};
use super::state::Api;
use super::switches::Waiting;
use crate::time;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lazaret_store::{ProjectRulesRow, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rules of a project.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rules {
    /// Who signs in with a password and has rights here needs a second factor.
    pub(crate) second_factor: bool,
    /// Orders that concern much, deletion of isolated files, *handle all* and switches wait for a second
    /// administrator.
    pub(crate) two_person: bool,
    /// More hosts than that at once are much.
    #[schema(minimum = 0, maximum = 10_000)]
    pub(crate) most_hosts: i64,
    /// More alarms or files than that at once are much.
    #[schema(minimum = 0, maximum = 10_000)]
    pub(crate) most_files: i64,
    /// What waits so long is not done any more.
    #[schema(minimum = 1, maximum = 720)]
    pub(crate) approval_hours: i64,
}

/// The rules, and who set them.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectRules {
    project: String,
    rules: Rules,
    /// 0: nobody has set any.
    revision: i64,
    #[schema(format = DateTime)]
    updated_at: Option<String>,
    updated_by: Option<String>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/projects/{project}/rules", "getProjectRules", "What a project asks of its people")
            .tagged()
            .answers::<ProjectRules>(200),
        show,
    );
    r.add(
        Permission::Administer,
        put("/projects/{project}/rules", "setProjectRules", "Set it")
            .describe("Where two persons are asked for, their own end waits for a second one too.")
            .body::<Rules>()
            .if_match()
            .tagged()
            .answers::<ProjectRules>(200)
            .answers::<Waiting>(202),
        set,
    );
}

pub(crate) fn rules(row: &ProjectRulesRow) -> Rules {
    Rules {
        second_factor: row.second_factor,
        two_person: row.two_person,
        most_hosts: row.most_hosts,
        most_files: row.most_files,
        approval_hours: row.approval_hours,
    }
}

fn view(row: &ProjectRulesRow) -> ProjectRules {
    ProjectRules {
        project: row.project.clone(),
        rules: rules(row),
        revision: row.revision,
        updated_at: time::some_rfc3339(row.updated_ms),
        updated_by: crate::json::some(&row.updated_by),
    }
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<ProjectRules>, Problem> {
    projects::within(&api, &access, &id).await?;
    let row = api.store.project_rules(&id).await?;
    Ok(Tagged(row.revision, view(&row)))
}

pub(crate) fn check(rules: &Rules) -> Result<(), Problem> {
    for (field, n, least, most) in [
        ("most_hosts", rules.most_hosts, 0, 10_000),
        ("most_files", rules.most_files, 0, 10_000),
        ("approval_hours", rules.approval_hours, 1, 720),
    ] {
        if !(least..=most).contains(&n) {
            return Err(Problem::invalid(format!("{field} = {n}: must be {least} to {most}")));
        }
    }
    Ok(())
}

/// The row that sets them.
pub(crate) fn row(project: &str, rules: &Rules, revision: i64, who: &str) -> ProjectRulesRow {
    ProjectRulesRow {
        project: project.to_owned(),
        second_factor: rules.second_factor,
        two_person: rules.two_person,
        most_hosts: rules.most_hosts,
        most_files: rules.most_files,
        approval_hours: rules.approval_hours,
        revision,
        updated_ms: time::now_ms(),
        updated_by: who.to_owned(),
    }
}

async fn set(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(revision): IfMatch,
    Json(ask): Json<Rules>,
) -> Result<Response, Problem> {
    projects::within(&api, &access, &id).await?;
    check(&ask)?;
    let before = api.store.project_rules(&id).await?;
    if before.revision != revision {
        return Err(Problem::new(Kind::Stale, "somebody changed it since it was read; read it again"));
    }
    if before.two_person {
        let waits = Request::Rules { project: id.clone(), rules: ask, revision };
        let address = request::wait(&api, &access, [id].into(), &waits).await?;
        return Ok(Accepted(Json(Waiting { approval: address })).into_response());
    }
    let mut row = row(&id, &ask, revision, access.who());
    row.revision = api.store.set_project_rules(&row).await.map_err(|e| match e {
        StoreError::Conflict(why) => Problem::new(Kind::Stale, why),
        e => e.into(),
    })?;
    let shown = view(&row);
    Record::new(&access, &id, "project.rules", format!("project {id}"))
        .before(&view(&before))
        .after(&shown)
        .write(&api)
        .await?;
    Ok(Tagged(row.revision, shown).into_response())
}
