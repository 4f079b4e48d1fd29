// SPDX-License-Identifier: Apache-2.0
//! Access keys of the own user: for programs that sign their requests, such as those written for HSS.

use super::extract::{Created, Empty, Json, Path};
use super::gate::Access;
use super::keys::{self, Wanted};
use super::me::{Grant, grants, rows};
use super::permission::Permission;
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, delete, get, post};
use super::state::Api;
use crate::people::{caller, secret};
use crate::time;
use axum::extract::State;
use lazaret_store::CredentialRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An access key without its secret.
#[derive(Serialize, ToSchema)]
struct AccessKey {
    /// 20 capital letters and digits: the AK.
    #[schema(min_length = 20, max_length = 20)]
    access: String,
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

/// A new access key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccessKey {
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

/// The access key and its secret, shown this once.
#[derive(Serialize, ToSchema)]
struct AccessKeySecret {
    /// The AK.
    access: String,
    /// The SK: signs. Only POST /v3/auth/tokens with `hw_ak_sk` takes it as it is.
    secret: String,
    access_key: AccessKey,
}

/// The user's access keys.
#[derive(Serialize, ToSchema)]
struct AccessKeys {
    items: Vec<AccessKey>,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::SignedIn,
        get("/me/access-keys", "listAccessKeys", "The own access keys").answers::<AccessKeys>(200),
        list,
    );
    r.add(
        Permission::SignedIn,
        post("/me/access-keys", "createAccessKey", "A new access key (AK and SK)")
            .describe(
                "For programs that sign their requests, such as those written for HSS (docs/hss-api.md).",
            )
            .body::<NewAccessKey>()
            .answers::<AccessKeySecret>(201)
            .problem(409),
        create,
    );
    r.add(
        Permission::SignedIn,
        delete("/me/access-keys/{access}", "revokeAccessKey", "Revoke an own access key")
            .describe("Tokens that were got with it end with it.")
            .answers_empty(),
        revoke,
    );
}

fn view(row: &CredentialRow) -> AccessKey {
    AccessKey {
        access: row.id.clone(),
        note: row.note.clone(),
        created_at: time::rfc3339(row.created_ms),
        expires_at: time::some_rfc3339(row.expires_ms),
        last_used_at: time::some_rfc3339(row.last_ms),
        grants: grants(&row.grants),
    }
}

async fn list(State(api): State<Api>, access: Access) -> Result<Json<AccessKeys>, Problem> {
    let own = keys::own(&api, &access, caller::ACCESS_KEY).await?;
    Ok(Json(AccessKeys { items: own.iter().map(view).collect() }))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewAccessKey>,
) -> Result<Created<Json<AccessKeySecret>>, Problem> {
    let wanted = Wanted { note: &ask.note, expires_at: ask.expires_at.as_deref(), grants: &ask.grants };
    let now_ms = time::now_ms();
    let expires_ms = keys::check(&api, &access, &wanted, caller::ACCESS_KEY, now_ms).await?;
    let (id, sk) = (secret::access_key_id()?, secret::random()?);
    let row = CredentialRow {
        user: access.caller.user.id.clone(),
        kind: caller::ACCESS_KEY.to_owned(),
        // Unique, and of nothing that anybody could send.
        hash: secret::digest(&secret::random()?),
        note: ask.note,
        created_ms: now_ms,
        expires_ms,
        last_ms: 0,
        grants: rows(&ask.grants),
        secret: api.seal.close(&id, sk.as_bytes())?,
        parent: None,
        id,
    };
    let shown = view(&row);
    let record =
        Record::new(&access, "", "access_key.create", format!("access_key {}", row.id)).after(&shown);
    record.on(&api).create_credential(&row).await?;
    Ok(Created(Json(AccessKeySecret { access: row.id, secret: sk, access_key: shown })))
}

async fn revoke(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    keys::check_session(&access, "a key ends no keys")?;
    let rows = keys::own(&api, &access, caller::ACCESS_KEY).await?;
    let row = rows.iter().find(|r| r.id == id).ok_or_else(|| Problem::no("access key", &id))?;
    let record = Record::new(&access, "", "access_key.revoke", format!("access_key {id}")).before(&view(row));
    record.on(&api).revoke_credential(&row.id).await?;
    Ok(Empty)
}
