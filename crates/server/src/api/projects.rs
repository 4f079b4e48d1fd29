// SPDX-License-Identifier: Apache-2.0
//! Enterprise projects: what hosts, alarms and rights are divided by.

use super::extract::{Created, Json, Path};
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, get, post};
use super::state::Api;
use crate::time;
use axum::extract::State;
use lazaret_store::ProjectRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An enterprise project; `0` is the one that everything belongs to unless somebody says otherwise.
#[derive(Serialize, ToSchema)]
struct Project {
    #[schema(min_length = 1, max_length = 64)]
    id: String,
    name: String,
    #[schema(format = DateTime)]
    created_at: String,
}

/// Those that the caller may see.
#[derive(Serialize, ToSchema)]
struct Projects {
    items: Vec<Project>,
}

/// A new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProject {
    #[schema(min_length = 1, max_length = 64)]
    name: String,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::View,
        get("/projects", "listProjects", "Projects that the caller may see").answers::<Projects>(200),
        list,
    );
    r.add(
        Permission::AdministerAll,
        post("/projects", "createProject", "A new project")
            .body::<NewProject>()
            .answers::<Project>(201)
            .problem(409),
        create,
    );
    r.add(
        Permission::View,
        get("/projects/{project}", "getProject", "One project").answers::<Project>(200),
        show,
    );
}

fn view(p: &ProjectRow) -> Project {
    Project { id: p.id.clone(), name: p.name.clone(), created_at: time::rfc3339(p.created_ms) }
}

/// A name that people give: of one line, and something to see.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), Problem> {
    let length = name.chars().count();
    if !(1..=64).contains(&length) || name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(Problem::invalid(format!(
            "{field}: 1 to 64 characters, none of them a control character"
        )));
    }
    Ok(())
}

/// A text that people give.
pub(crate) fn check_text(field: &str, text: &str, most: usize) -> Result<(), Problem> {
    let length = text.chars().count();
    if length > most {
        return Err(Problem::invalid(format!("{field}: {length} characters, {most} at most")));
    }
    Ok(())
}

/// A project that is there and within what the caller may.
pub(crate) async fn within(api: &Api, access: &Access, id: &str) -> Result<ProjectRow, Problem> {
    access.check(api.store.project(id).await, |p| &p.id, "project", id)
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<Projects>, Problem> {
    let rows = api.store.projects(&access.scope).await?;
    Ok(Json(Projects { items: rows.iter().map(view).collect() }))
}

async fn show(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Project>, Problem> {
    Ok(Json(view(&within(&api, &access, &id).await?)))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewProject>,
) -> Result<Created<Json<Project>>, Problem> {
    check_name("name", &ask.name)?;
    let row = ProjectRow { id: Uuid::now_v7().to_string(), name: ask.name, created_ms: time::now_ms() };
    let shown = view(&row);
    Record::new(&access, &row.id, "project.create", format!("project {}", row.id))
        .after(&shown)
        .on(&api)
        .create_project(&row)
        .await?;
    Ok(Created(Json(shown)))
}
