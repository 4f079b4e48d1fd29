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

const KIND: &str = "api_key";
/// Keys of one user and kind at most.
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

/// The caller's keys of a kind.
pub(super) async fn own(api: &Api, access: &Access, kind: &str) -> Result<Vec<CredentialRow>, Problem> {
    let mut rows = api.store.credentials(&access.caller.user.id).await?;
    rows.retain(|r| r.kind == kind);
    Ok(rows)
}

/// Keys are a matter of who has signed in: a leaked one must not decide about the others.
pub(super) fn check_session(access: &Access, otherwise: &str) -> Result<(), Problem> {
    if access.caller.kind == "session" {
        return Ok(());
    }
    Err(Problem::new(Kind::Forbidden, format!("{otherwise}; sign in with the password")))
}

/// What somebody wants of a new key.
pub(super) struct Wanted<'a> {
    pub(super) note: &'a str,
    pub(super) expires_at: Option<&'a str>,
    pub(super) grants: &'a [Grant],
}

/// Whether the caller may have it; when it ends, 0: never.
pub(super) async fn check(
    api: &Api,
    access: &Access,
    wanted: &Wanted<'_>,
    kind: &str,
    now_ms: i64,
) -> Result<i64, Problem> {
    check_session(access, "a key makes no keys")?;
    if wanted.note.chars().count() > 200 {
        return Err(Problem::invalid("note: 200 characters at most"));
    }
    if let Some(g) =
        wanted.grants.iter().find(|g| !permission::covers(&access.caller.grants, &g.project, g.role.word()))
    {
        return Err(Problem::invalid(format!(
            "grants: {} in \"{}\" is more than you have",
            g.role.word(),
            super::problem::shown(&g.project)
        )));
    }
    let expires_ms = moment("expires_at", wanted.expires_at)?.unwrap_or(0);
    if expires_ms != 0 && expires_ms <= now_ms {
        return Err(Problem::invalid("expires_at: has passed"));
    }
    if own(api, access, kind).await?.len() >= MOST {
        return Err(Problem::conflict(format!("you have {MOST} keys; revoke one first")));
    }
    Ok(expires_ms)
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<ApiKeys>, Problem> {
    Ok(Json(ApiKeys { items: own(&api, &access, KIND).await?.iter().map(view).collect() }))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewApiKey>,
) -> Result<Created<Json<ApiKeySecret>>, Problem> {
    let wanted = Wanted { note: &ask.note, expires_at: ask.expires_at.as_deref(), grants: &ask.grants };
    let now_ms = time::now_ms();
    let expires_ms = check(&api, &access, &wanted, KIND, now_ms).await?;
    let id = Uuid::now_v7().to_string();
    let key = format!("lzk_{id}_{}", secret::random()?);
    let row = CredentialRow {
        id: id.clone(),
        user: access.caller.user.id.clone(),
        kind: KIND.to_owned(),
        hash: secret::digest(&key),
        note: ask.note,
        created_ms: now_ms,
        expires_ms,
        last_ms: 0,
        grants: rows(&ask.grants),
        secret: Vec::new(),
        parent: None,
    };
    let shown = view(&row);
    let record = Record::new(&access, "", "api_key.create", format!("api_key {id}")).after(&shown);
    record.on(&api).create_credential(&row).await?;
    Ok(Created(Json(ApiKeySecret { key, api_key: shown })))
}

async fn revoke(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let rows = own(&api, &access, KIND).await?;
    let row = rows.iter().find(|r| r.id == id).ok_or_else(|| Problem::no("API key", &id))?;
    let record = Record::new(&access, "", "api_key.revoke", format!("api_key {id}")).before(&view(row));
    record.on(&api).revoke_credential(&row.id).await?;
    Ok(Empty)
}
