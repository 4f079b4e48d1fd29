// SPDX-License-Identifier: Apache-2.0
//! Host groups: hosts of one project that share settings.

use super::extract::{Created, Empty, IfMatch, Json, Path, Tagged};
use super::gate::Access;
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::projects::{self, check_name};
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use axum::extract::State;
use lazaret_store::{HostGroupRow, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A set of hosts of one project.
#[derive(Debug, Serialize, ToSchema)]
struct HostGroup {
    #[schema(format = Uuid)]
    id: String,
    project: String,
    name: String,
    /// Absent: the project's switches alone.
    #[schema(format = Uuid)]
    policy_group: Option<String>,
    revision: i64,
}

/// Those of the projects that the caller may see.
#[derive(Serialize, ToSchema)]
struct HostGroups {
    items: Vec<HostGroup>,
}

/// A new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewHostGroup {
    #[schema(min_length = 1, max_length = 64)]
    project: String,
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    #[serde(default)]
    #[schema(format = Uuid)]
    policy_group: Option<String>,
}

/// Name and settings as they are to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HostGroupChange {
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    #[serde(default)]
    #[schema(format = Uuid)]
    policy_group: Option<String>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/host-groups", "listHostGroups", "Host groups").answers::<HostGroups>(200),
        list,
    );
    r.add(
        Permission::Administer,
        post("/host-groups", "createHostGroup", "A new host group")
            .body::<NewHostGroup>()
            .tagged()
            .answers::<HostGroup>(201)
            .problem(404)
            .problem(409),
        create,
    );
    r.add(
        Permission::View,
        get("/host-groups/{id}", "getHostGroup", "One host group").tagged().answers::<HostGroup>(200),
        show,
    );
    r.add(
        Permission::Administer,
        put("/host-groups/{id}", "updateHostGroup", "Name and policy group of a host group")
            .body::<HostGroupChange>()
            .if_match()
            .tagged()
            .answers::<HostGroup>(200)
            .problem(409),
        update,
    );
    r.add(
        Permission::Administer,
        delete("/host-groups/{id}", "deleteHostGroup", "Delete a host group; its hosts have none then")
            .if_match()
            .answers_empty(),
        remove,
    );
}

fn view(g: &HostGroupRow) -> HostGroup {
    HostGroup {
        id: g.id.clone(),
        project: g.project.clone(),
        name: g.name.clone(),
        policy_group: g.policy_group.clone(),
        revision: g.revision,
    }
}

/// A group within what the caller may.
pub(crate) async fn within(api: &Api, access: &Access, id: &str) -> Result<HostGroupRow, Problem> {
    access.check(api.store.host_group(id).await, |g| &g.project, "host group", id)
}

/// 412 when somebody was faster.
pub(crate) fn fresh(seen: i64, now: i64) -> Result<(), Problem> {
    if seen == now {
        return Ok(());
    }
    Err(stale())
}

fn stale() -> Problem {
    Problem::new(Kind::Stale, "somebody changed it since it was read; read it again")
}

/// A write that lost against another between our look and it.
pub(crate) async fn raced<T>(
    written: Result<T, StoreError>,
    current: impl Future<Output = Result<i64, StoreError>>,
    seen: i64,
) -> Result<T, Problem> {
    match written {
        Err(StoreError::Conflict(why)) => match current.await {
            Ok(now) if now == seen => Err(Problem::conflict(why)),
            Ok(_) => Err(stale()),
            Err(e) => Err(e.into()),
        },
        other => Ok(other?),
    }
}

async fn check_policy_group(
    api: &Api,
    access: &Access,
    id: Option<&str>,
    project: &str,
) -> Result<(), Problem> {
    let Some(id) = id else { return Ok(()) };
    let found = super::policy_groups::within(api, access, id).await?;
    if found.project == project {
        return Ok(());
    }
    Err(Problem::invalid(format!("policy_group: {id} is of another project")))
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<HostGroups>, Problem> {
    let rows = api.store.host_groups(&access.scope).await?;
    Ok(Json(HostGroups { items: rows.iter().map(view).collect() }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Tagged<HostGroup>, Problem> {
    let row = within(&api, &access, &id).await?;
    Ok(Tagged(row.revision, view(&row)))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewHostGroup>,
) -> Result<Created<Tagged<HostGroup>>, Problem> {
    projects::within(&api, &access, &ask.project).await?;
    check_name("name", &ask.name)?;
    check_policy_group(&api, &access, ask.policy_group.as_deref(), &ask.project).await?;
    let row = HostGroupRow {
        id: Uuid::now_v7().to_string(),
        project: ask.project,
        name: ask.name,
        policy_group: ask.policy_group,
        revision: 1,
    };
    let shown = view(&row);
    let record = Record::new(&access, &row.project, "host_group.create", format!("host_group {}", row.id));
    record.after(&shown).on(&api).create_host_group(&row).await?;
    Ok(Created(Tagged(row.revision, shown)))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
    Json(ask): Json<HostGroupChange>,
) -> Result<Tagged<HostGroup>, Problem> {
    let before = within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    check_name("name", &ask.name)?;
    check_policy_group(&api, &access, ask.policy_group.as_deref(), &before.project).await?;
    let row = HostGroupRow { name: ask.name, policy_group: ask.policy_group, ..before.clone() };
    // As it will be, when nobody is faster.
    let shown = view(&HostGroupRow { revision: row.revision + 1, ..row.clone() });
    let record = Record::new(&access, &before.project, "host_group.update", format!("host_group {id}"));
    let store = record.before(&view(&before)).after(&shown).on(&api);
    let written = store.update_host_group(&row).await;
    let after = raced(written, async { api.store.host_group(&id).await.map(|g| g.revision) }, seen).await?;
    Ok(Tagged(after.revision, view(&after)))
}

async fn remove(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    IfMatch(seen): IfMatch,
) -> Result<Empty, Problem> {
    let before = within(&api, &access, &id).await?;
    fresh(seen, before.revision)?;
    let record = Record::new(&access, &before.project, "host_group.delete", format!("host_group {id}"));
    let written = record.before(&view(&before)).on(&api).delete_host_group(&id, seen).await;
    raced(written, async { api.store.host_group(&id).await.map(|g| g.revision) }, seen).await?;
    Ok(Empty)
}
