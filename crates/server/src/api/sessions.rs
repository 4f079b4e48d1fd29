// SPDX-License-Identifier: Apache-2.0
//! Sign-ins that are open: the own ones, and for administrators those of others.

use super::extract::{Empty, Json, Path};
use super::gate::Access;
use super::permission::Permission;
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, delete, get};
use super::state::Api;
use super::users;
use crate::time;
use axum::extract::State;
use lazaret_store::CredentialRow;
use serde::Serialize;
use utoipa::ToSchema;

/// A sign-in.
#[derive(Serialize, ToSchema)]
struct Session {
    #[schema(format = Uuid)]
    id: String,
    /// How, and from where.
    note: String,
    /// The one that asks.
    current: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    last_used_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// All of a user.
#[derive(Serialize, ToSchema)]
struct Sessions {
    items: Vec<Session>,
    /// Signing in takes a code beside the password.
    second_factor: bool,
    /// Where else the user is known.
    providers: Vec<String>,
}

/// How many were ended.
#[derive(Serialize, ToSchema)]
struct Ended {
    sessions: usize,
}

pub(crate) fn routes(r: &mut Routes) {
    let (own, all) = (Permission::SignedIn, Permission::AdministerAll);
    r.add(own, get("/me/sessions", "listSessions", "The own sign-ins").answers::<Sessions>(200), list);
    r.add(own, delete("/me/sessions/{id}", "endSession", "End an own sign-in").answers_empty(), end);
    r.add(
        all,
        get("/users/{id}/sessions", "listUserSessions", "The sign-ins of a user").answers::<Sessions>(200),
        list_of,
    );
    r.add(
        all,
        delete("/users/{id}/sessions", "endUserSessions", "End every sign-in of a user")
            .answers::<Ended>(200),
        end_all_of,
    );
    r.add(
        all,
        delete("/users/{id}/sessions/{session}", "endUserSession", "End a sign-in of a user").answers_empty(),
        end_of,
    );
}

fn view(row: &CredentialRow, current: &str) -> Session {
    Session {
        id: row.id.clone(),
        note: row.note.clone(),
        current: row.id == current,
        created_at: time::rfc3339(row.created_ms),
        last_used_at: time::rfc3339(row.last_ms),
        expires_at: time::rfc3339(row.expires_ms),
    }
}

async fn open(api: &Api, user: &str) -> Result<Vec<CredentialRow>, Problem> {
    let now_ms = time::now_ms();
    let mut rows = api.store.credentials(user).await?;
    rows.retain(|r| !r.is_key() && r.expires_ms > now_ms);
    Ok(rows)
}

async fn sessions(api: &Api, user: &str, current: &str) -> Result<Json<Sessions>, Problem> {
    let factor = api.store.second_factor(user).await?;
    Ok(Json(Sessions {
        items: open(api, user).await?.iter().map(|r| view(r, current)).collect(),
        second_factor: factor.is_some_and(|f| f.confirmed),
        providers: api.store.identities(user).await?,
    }))
}

async fn end_one(api: &Api, access: &Access, user: &str, id: &str) -> Result<Empty, Problem> {
    let rows = open(api, user).await?;
    let row = rows.iter().find(|r| r.id == id).ok_or_else(|| Problem::no("sign-in", id))?;
    let record = Record::new(access, "", "session.revoke", format!("user {user}"))
        .before(&view(row, &access.caller.credential));
    record.on(api).revoke_credential(&row.id).await?;
    Ok(Empty)
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<Sessions>, Problem> {
    sessions(&api, &access.caller.user.id, &access.caller.credential).await
}

async fn end(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let user = access.caller.user.id.clone();
    end_one(&api, &access, &user, &id).await
}

async fn list_of(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Sessions>, Problem> {
    let user = users::find(&api, &id).await?;
    sessions(&api, &user.id, &access.caller.credential).await
}

async fn end_all_of(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<Ended>, Problem> {
    let user = users::find(&api, &id).await?;
    let rows = open(&api, &user.id).await?;
    for row in &rows {
        api.store.revoke_credential(&row.id).await?;
    }
    let ended = Ended { sessions: rows.len() };
    Record::new(&access, "", "session.revoke", format!("user {id}")).after(&ended).write(&api).await?;
    Ok(Json(ended))
}

async fn end_of(
    State(api): State<Api>,
    access: Access,
    Path((id, session)): Path<(String, String)>,
) -> Result<Empty, Problem> {
    let user = users::find(&api, &id).await?;
    end_one(&api, &access, &user.id, &session).await
}
