// SPDX-License-Identifier: Apache-2.0
//! API keys of the own user: for programs, with fewer rights and an end where wanted.

use super::extract::{Created, Empty, Json, Path};
use super::gate::Access;
use super::me::{Grant, grants, rows};
use super::page::moment;
use super::permission::{self, Permission};
use super::problem::{Kind, Problem};
use super::record::Record;
use super::route::{Routes, delete, get, post};
use super::state::Api;
use crate::people::secret;
use crate::time;
use axum::extract::State;
use lazaret_store::CredentialRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Keys of one user at most.
const MOST: usize = 100;

/// A key without its secret.
#[derive(Serialize, ToSchema)]
struct ApiKey {
    #[schema(format = Uuid)]
    id: String,
    note: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// Absent: never ends.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
    /// Empty: all that the user has.
    grants: Vec<Grant>,
}

/// A new key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApiKey {
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 200)]
    note: String,
    #[serde(default)]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Fewer than the user's own; empty: all of them.
    #[serde(default)]
    #[schema(max_items = 100)]
    grants: Vec<Grant>,
}

/// The key, shown this once.
#[derive(Serialize, ToSchema)]
struct ApiKeySecret {
    /// `lzk_<id>_<secret>`, for `Authorization: Bearer`.
    key: String,
    api_key: ApiKey,
}

/// The user's keys.
#[derive(Serialize, ToSchema)]
struct ApiKeys {
    items: Vec<ApiKey>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::SignedIn,
        get("/me/api-keys", "listApiKeys", "The own API keys").answers::<ApiKeys>(200),
        list,
    );
    r.add(
        Permission::SignedIn,
        post("/me/api-keys", "createApiKey", "A new API key")
            .body::<NewApiKey>()
            .answers::<ApiKeySecret>(201)
            .problem(409),
        create,
    );
    r.add(
        Permission::SignedIn,
        delete("/me/api-keys/{id}", "revokeApiKey", "Revoke an own API key").answers_empty(),
        revoke,
    );
}

fn view(row: &CredentialRow) -> ApiKey {
    ApiKey {
        id: row.id.clone(),
        note: row.note.clone(),
        created_at: time::rfc3339(row.created_ms),
        expires_at: time::some_rfc3339(row.expires_ms),
        last_used_at: time::some_rfc3339(row.last_ms),
        grants: grants(&row.grants),
    }
}

async fn own(api: &Api, access: &Access) -> Result<Vec<CredentialRow>, Problem> {
    let mut rows = api.store.credentials(&access.caller.user.id).await?;
    rows.retain(|r| r.kind == "api_key");
    Ok(rows)
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<ApiKeys>, Problem> {
    Ok(Json(ApiKeys { items: own(&api, &access).await?.iter().map(view).collect() }))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewApiKey>,
) -> Result<Created<Json<ApiKeySecret>>, Problem> {
    if access.caller.kind != "session" {
        return Err(Problem::new(Kind::Forbidden, "a key makes no keys; sign in with the password"));
    }
    if ask.note.chars().count() > 200 {
        return Err(Problem::invalid("note: 200 characters at most"));
    }
    if let Some(g) =
        ask.grants.iter().find(|g| !permission::covers(&access.caller.grants, &g.project, g.role.word()))
    {
        return Err(Problem::invalid(format!(
            "grants: {} in \"{}\" is more than you have",
            g.role.word(),
            super::problem::shown(&g.project)
        )));
    }
    let now_ms = time::now_ms();
    let expires_ms = moment("expires_at", ask.expires_at.as_deref())?.unwrap_or(0);
    if expires_ms != 0 && expires_ms <= now_ms {
        return Err(Problem::invalid("expires_at: has passed"));
    }
    if own(&api, &access).await?.len() >= MOST {
        return Err(Problem::conflict(format!("you have {MOST} keys; revoke one first")));
    }
    let id = Uuid::now_v7().to_string();
    let key = format!("lzk_{id}_{}", secret::random()?);
    let row = CredentialRow {
        id: id.clone(),
        user: access.caller.user.id.clone(),
        kind: "api_key".to_owned(),
        hash: secret::digest(&key),
        note: ask.note,
        created_ms: now_ms,
        expires_ms,
        last_ms: 0,
        grants: rows(&ask.grants),
    };
    let shown = view(&row);
    let record = Record::new(&access, "", "api_key.create", format!("api_key {id}")).after(&shown);
    record.on(&api).create_credential(&row).await?;
    Ok(Created(Json(ApiKeySecret { key, api_key: shown })))
}

async fn revoke(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let rows = own(&api, &access).await?;
    let row = rows.iter().find(|r| r.id == id).ok_or_else(|| Problem::no("API key", &id))?;
    let record = Record::new(&access, "", "api_key.revoke", format!("api_key {id}")).before(&view(row));
    record.on(&api).revoke_credential(&row.id).await?;
    Ok(Empty)
}
