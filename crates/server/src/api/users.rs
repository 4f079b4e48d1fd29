// SPDX-License-Identifier: Apache-2.0
//! Local users and their roles; for administrators of every project.

use super::extract::{Created, Empty, Json, Path};
use super::gate::Access;
use super::me::{Grant, grants, rows};
use super::permission::{ALL_PROJECTS, Permission, Role};
use super::problem::Problem;
use super::record::Record;
use super::route::{Routes, delete, get, post, put};
use super::state::Api;
use crate::people::secret;
use crate::time;
use axum::extract::State;
use lazaret_store::{StoreError, UserRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A user.
#[derive(Serialize, ToSchema)]
struct User {
    #[schema(format = Uuid)]
    id: String,
    name: String,
    disabled: bool,
    must_change_password: bool,
    /// After wrong passwords.
    #[schema(format = DateTime)]
    locked_until: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    last_sign_in_at: Option<String>,
    grants: Vec<Grant>,
}

/// All of them.
#[derive(Serialize, ToSchema)]
struct Users {
    items: Vec<User>,
}

/// A new user; gets a one-time password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// Letters, digits and `.` `_` `@` `-`; kept in lower case.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._@-]+$")]
    name: String,
    #[serde(default)]
    #[schema(max_items = 100)]
    grants: Vec<Grant>,
}

/// What of a user is to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserChange {
    #[serde(default)]
    disabled: Option<bool>,
    #[serde(default)]
    #[schema(max_items = 100)]
    grants: Option<Vec<Grant>>,
    /// Ends a lock-out.
    #[serde(default)]
    unlock: bool,
}

/// The password is shown this once and must be changed at the first sign-in.
#[derive(Serialize, ToSchema)]
struct OneTimePassword {
    user: User,
    one_time_password: String,
}

pub(crate) fn routes(r: &mut Routes) {
    let p = Permission::AdministerAll;
    r.add(p, get("/users", "listUsers", "All users").answers::<Users>(200), list);
    r.add(
        p,
        post("/users", "createUser", "A new user")
            .body::<NewUser>()
            .answers::<OneTimePassword>(201)
            .problem(409),
        create,
    );
    r.add(p, get("/users/{id}", "getUser", "One user").answers::<User>(200), show);
    r.add(
        p,
        put("/users/{id}", "updateUser", "Change roles, disable, unlock")
            .body::<UserChange>()
            .answers::<User>(200)
            .problem(409),
        update,
    );
    r.add(
        p,
        post("/users/{id}/reset-password", "resetPassword", "A new one-time password")
            .describe("Ends every sign-in and revokes every key of the user.")
            .answers::<OneTimePassword>(200)
            .problem(409),
        reset,
    );
    r.add(p, delete("/users/{id}", "deleteUser", "Delete a user").answers_empty().problem(409), remove);
}

fn view(u: &UserRow) -> User {
    User {
        id: u.id.clone(),
        name: u.name.clone(),
        disabled: u.disabled,
        must_change_password: u.must_change,
        locked_until: (u.locked_until_ms > time::now_ms()).then(|| time::rfc3339(u.locked_until_ms)),
        created_at: time::rfc3339(u.created_ms),
        last_sign_in_at: time::some_rfc3339(u.last_ms),
        grants: grants(&u.grants),
    }
}

pub(super) async fn find(api: &Api, id: &str) -> Result<UserRow, Problem> {
    match api.store.user(id).await {
        Err(StoreError::NotFound(_)) => Err(Problem::no("user", id)),
        other => Ok(other?),
    }
}

/// Grants for projects that are there.
async fn check_grants(api: &Api, grants: &[Grant]) -> Result<(), Problem> {
    for g in grants.iter().filter(|g| g.project != ALL_PROJECTS) {
        match api.store.project(&g.project).await {
            Ok(_) => {}
            Err(StoreError::NotFound(_)) => {
                return Err(Problem::invalid(format!(
                    "grants: there is no project \"{}\"",
                    super::problem::shown(&g.project)
                )));
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

fn administers_all(u: &UserRow) -> bool {
    !u.disabled && u.grants.iter().any(|(p, r)| p == ALL_PROJECTS && r == Role::Administrator.word())
}

/// Nobody shuts themselves out by a slip, and no stolen key becomes a password: another administrator does
/// these things.
fn check_other(access: &Access, id: &str, what: &str) -> Result<(), Problem> {
    if access.caller.user.id == id {
        return Err(Problem::conflict(format!("you cannot {what} yourself; another administrator can")));
    }
    Ok(())
}

/// Somebody must be left who can let others in.
async fn check_last(api: &Api, before: &UserRow, after: Option<&UserRow>) -> Result<(), Problem> {
    if !administers_all(before) || after.is_some_and(administers_all) {
        return Ok(());
    }
    let others = api.store.users().await?;
    if others.iter().any(|u| u.id != before.id && administers_all(u)) {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "{} is the last administrator of all projects; make another one first",
        before.name
    )))
}

async fn list(State(api): State<Api>, _: Access) -> Result<Json<Users>, Problem> {
    Ok(Json(Users { items: api.store.users().await?.iter().map(view).collect() }))
}

async fn show(State(api): State<Api>, _: Access, Path(id): Path<String>) -> Result<Json<User>, Problem> {
    Ok(Json(view(&find(&api, &id).await?)))
}

async fn create(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<NewUser>,
) -> Result<Created<Json<OneTimePassword>>, Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if ask.name.is_empty() || ask.name.len() > 64 || !ask.name.chars().all(plain) {
        return Err(Problem::invalid("name: 1 to 64 letters, digits and . _ @ -"));
    }
    if ask.grants.len() > 100 {
        return Err(Problem::invalid("grants: 100 at most"));
    }
    check_grants(&api, &ask.grants).await?;
    let password = secret::one_time_password()?;
    let row = UserRow {
        id: Uuid::now_v7().to_string(),
        name: ask.name.to_lowercase(),
        password: api.passwords.hash(password.clone()).await?,
        must_change: true,
        disabled: false,
        failures: 0,
        locked_until_ms: 0,
        created_ms: time::now_ms(),
        last_ms: 0,
        grants: rows(&ask.grants),
    };
    let user = view(&row);
    let record = Record::new(&access, "", "user.create", format!("user {}", row.id)).after(&user);
    record.on(&api).create_user(&row).await?;
    Ok(Created(Json(OneTimePassword { user, one_time_password: password })))
}

async fn update(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
    Json(ask): Json<UserChange>,
) -> Result<Json<User>, Problem> {
    let before = find(&api, &id).await?;
    let mut after = before.clone();
    if let Some(disabled) = ask.disabled {
        after.disabled = disabled;
    }
    if let Some(grants) = &ask.grants {
        if grants.len() > 100 {
            return Err(Problem::invalid("grants: 100 at most"));
        }
        check_grants(&api, grants).await?;
        after.grants = rows(grants);
    }
    if ask.unlock {
        after.failures = 0;
        after.locked_until_ms = 0;
    }
    if administers_all(&before) && !administers_all(&after) {
        check_other(&access, &id, "disable or demote")?;
    }
    check_last(&api, &before, Some(&after)).await?;
    let shown = view(&after);
    Record::new(&access, "", "user.update", format!("user {id}"))
        .before(&view(&before))
        .after(&shown)
        .on(&api)
        .update_user(&after)
        .await?;
    if after.disabled {
        // Keys stay: they come back to life with the user. Sign-ins do not.
        for c in api.store.credentials(&id).await? {
            if !c.is_key() {
                api.store.revoke_credential(&c.id).await?;
            }
        }
    }
    Ok(Json(shown))
}

async fn reset(
    State(api): State<Api>,
    access: Access,
    Path(id): Path<String>,
) -> Result<Json<OneTimePassword>, Problem> {
    let mut row = find(&api, &id).await?;
    if row.password.is_empty() {
        return Err(Problem::conflict(format!("{} has no password: a provider lets them in", row.name)));
    }
    if access.caller.user.id == id {
        return Err(Problem::conflict("your own password is changed by POST /api/v1/me/password"));
    }
    let password = secret::one_time_password()?;
    row.password = api.passwords.hash(password.clone()).await?;
    row.must_change = true;
    row.failures = 0;
    row.locked_until_ms = 0;
    let record = Record::new(&access, "", "user.reset_password", format!("user {id}"));
    record.on(&api).update_user(&row).await?;
    api.store.revoke_credentials(&id).await?;
    Ok(Json(OneTimePassword { user: view(&row), one_time_password: password }))
}

async fn remove(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let row = find(&api, &id).await?;
    check_other(&access, &id, "delete")?;
    check_last(&api, &row, None).await?;
    // What the user holds goes with it.
    let record = Record::new(&access, "", "user.delete", format!("user {id}")).before(&view(&row));
    record.on(&api).delete_user(&id).await?;
    Ok(Empty)
}
