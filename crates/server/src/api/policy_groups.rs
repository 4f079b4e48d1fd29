// SPDX-License-Identifier: Apache-2.0
//! Policy groups: settings for host groups, and what they would have changed before they are saved.

use super::extract::{Created, Empty, IfMatch, Json, Path, Tagged};
use super::gate::Access;
use super::host_groups::{fresh, raced};
use super::permission::Permission;
use super::problem::Problem;
use super::projects::{self, check_name, check_text};
use super::record::Record;
use super::replay::{self, Concerned, Replay};
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use crate::settings::PolicySettings;
use crate::time;
use axum::extract::State;
use lazaret_store::PolicyGroupRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Settings for host groups.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyGroup {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    name: String,
    description: String,
    settings: PolicySettings,
    revision: i64,
    #[schema(format = DateTime)]
    updated_at: String,
    updated_by: String,
}

/// Those of the projects that the caller may see.
#[derive(Serialize, ToSchema)]
struct PolicyGroups {
    items: Vec<PolicyGroup>,
}

/// A new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPolicyGroup {
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 1000)]
    description: String,
    #[serde(default)]
    settings: PolicySettings,
}

/// The whole as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyGroupChange {
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 1000)]
    description: String,
    settings: PolicySettings,
}

/// Settings that are to be tried on the past.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyReplay {
    settings: PolicySettings,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/policy-groups", "listPolicyGroups", "Policy groups").answers::<PolicyGroups>(200),
        list,
    );
    r.add(
        Permission::Administer,
        post("/policy-groups", "createPolicyGroup", "A new policy group")
            .body::<NewPolicyGroup>()
            .tagged()
            .answers::<PolicyGroup>(201)
            .problem(404)
            .problem(409),
        create,
    );
    r.add(
        Permission::View,
        get("/policy-groups/{id}", "getPolicyGroup", "One policy group").tagged().answers::<PolicyGroup>(200),
        show,
    );
    r.add(
        Permission::Administer,
        put("/policy-groups/{id}", "updatePolicyGroup", "Name and settings of a policy group")
            .body::<PolicyGroupChange>()
            .if_match()
            .tagged()
            .answers::<PolicyGroup>(200)
            .problem(409),
        update,
    );
    r.add(
        Permission::Administer,
        delete("/policy-groups/{id}", "deletePolicyGroup", "Delete a policy group that no host group uses")
            .if_match()
            .answers_empty()
            .problem(409),
        remove,
    );
    r.add(
        Permission::View,
        post(
            "/policy-groups/{id}/replay",
            "replayPolicyGroup",
            "What settings would have changed in the last 30 days",
        )
        .describe(
            "Changes nothing. Judges the kept verdicts of the group's hosts again under the settings given.",
        )
        .body::<PolicyReplay>()
        .answers::<Replay>(200),
        try_out,
    );
}

fn view(g: &PolicyGroupRow) -> Result<PolicyGroup, Problem> {
    let settings = PolicySettings::parse(&g.settings).map_err(|e| {
        crate::log::line(&format!("api: the settings of the policy group {} cannot be read: {e}", g.id));
        Problem::new(super::problem::Kind::Internal, "its settings cannot be read; save them anew")
    })?;
    Ok(PolicyGroup {
        id: g.id.clone(),
        project: g.project.clone(),
        name: g.name.clone(),
        description: g.description.clone(),
        settings,
        revision: g.revision,
        updated_at: time::rfc3339(g.updated_ms),
        updated_by: g.updated_by.clone(),
    })
}

/// A policy group within what the caller may.
pub(crate) async fn within(api: &Api, access: &Access, id: &str) -> Result<PolicyGroupRow, Problem> {
    access.check(api.store.policy_group(id).await, |g| &g.project, "policy group", id)
}

fn checked(settings: &PolicySettings) -> Result<String, Problem> {
    settings.validate().map_err(|e| Problem::invalid(format!("settings: {e}")))?;
    serde_json::to_string(settings).map_err(|e| Problem::invalid(format!("settings: {e}")))
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<PolicyGroups>, Problem> {
    let rows = api.store.policy_groups(&access.scope).await?;
    Ok(Json(PolicyGroups { items: rows.iter().map(view).collect::<Result<_, _>>()? }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<PolicyGroup>, Problem> {
    let row = within(&api, &access, &id).await?;
    Ok(Tagged(row.revision, view(&row)?))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewPolicyGroup>,
) -> Result<Created<Tagged<PolicyGroup>>, Problem> {
    projects::within(&api, &access, &ask.project).await?;
    check_name("name", &ask.name)?;
    check_text("description", &ask.description, 1000)?;
    let row = PolicyGroupRow {
        id: Uuid::now_v7().to_string(),
        project: ask.project,
        name: ask.name,
        description: ask.description,
        settings: checked(&ask.settings)?,
        revision: 1,
        updated_ms: time::now_ms(),
        updated_by: access.who().to_owned(),
    };
    let shown = view(&row)?;
    Record::new(&access, &row.project, "policy_group.create", format!("policy_group {}", row.id))
        .after(&shown)
        .on(&api)
        .create_policy_group(&row)
        .await?;
    Ok(Created(Tagged(row.revision, shown)))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
    Json(ask): Json<PolicyGroupChange>,
) -> Result<Tagged<PolicyGroup>, Problem> {
    let before = within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    check_name("name", &ask.name)?;
    check_text("description", &ask.description, 1000)?;
    let row = PolicyGroupRow {
        name: ask.name,
        description: ask.description,
        settings: checked(&ask.settings)?,
        updated_ms: time::now_ms(),
        updated_by: access.who().to_owned(),
        ..before.clone()
    };
    // As it will be, when nobody is faster.
    let shown = view(&PolicyGroupRow { revision: row.revision + 1, ..row.clone() })?;
    let record = Record::new(&access, &before.project, "policy_group.update", format!("policy_group {id}"));
    let store = record.before(&view(&before)?).after(&shown).on(&api);
    let written = store.update_policy_group(&row).await;
    let after = raced(written, async { api.store.policy_group(&id).await.map(|g| g.revision) }, seen).await?;
    Ok(Tagged(after.revision, view(&after)?))
}

async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<Empty, Problem> {
    let before = within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    let record = Record::new(&access, &before.project, "policy_group.delete", format!("policy_group {id}"));
    let written = record.before(&view(&before)?).on(&api).delete_policy_group(&id, seen).await;
    raced(written, async { api.store.policy_group(&id).await.map(|g| g.revision) }, seen).await?;
    Ok(Empty)
}

async fn try_out(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<PolicyReplay>,
) -> Result<Json<Replay>, Problem> {
    let row = within(&api, &access, &id).await?;
    checked(&ask.settings)?;
    let concerned = Concerned { project: row.project.clone(), policy_group: Some(id) };
    let policy = replay::proposed(&api, &row.project, Some(&ask.settings), &[]).await?;
    Ok(Json(replay::run(&api, &concerned, &policy).await?))
}
