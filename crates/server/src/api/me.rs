// SPDX-License-Identifier: Apache-2.0
//! Signing in and out, and the own password.

use super::extract::{Empty, Json};
use super::gate::{Access, Client};
use super::permission::{Permission, Role};
use super::problem::{Kind, Problem};
use super::record::Record;
use super::route::{Routes, get, post};
use super::state::Api;
use crate::people::caller;
use crate::people::sign_in::{Begun, Claimed, Door, SignIn};
use crate::time;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use lazaret_store::NewAudit;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::ToSchema;

/// Name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LoginRequest {
    #[schema(min_length = 1, max_length = 64)]
    user: String,
    #[schema(min_length = 1, max_length = 256, format = Password)]
    password: String,
    /// Of the second factor, or a recovery code; asked for when the user has one.
    #[serde(default)]
    #[schema(max_length = 64)]
    code: Option<String>,
}

/// The token goes into `Authorization: Bearer`; browsers take the cookie instead.
#[derive(Serialize, ToSchema)]
struct LoginAnswer {
    token: String,
    #[schema(format = DateTime)]
    expires_at: String,
    /// Nothing but POST /me/password works before.
    must_change_password: bool,
    /// Nothing but the enrolment of a second factor works before.
    must_enrol_second_factor: bool,
}

/// A right in a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    /// Its id, or `*` for all.
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) project: String,
    pub(crate) role: Role,
}

/// Rows as grants; what no role is called is left out.
pub(crate) fn grants(rows: &[(String, String)]) -> Vec<Grant> {
    let one = |(project, role): &(String, String)| {
        Some(Grant { project: project.clone(), role: Role::from_word(role)? })
    };
    rows.iter().filter_map(one).collect()
}

/// The same the other way.
pub(crate) fn rows(grants: &[Grant]) -> Vec<(String, String)> {
    grants.iter().map(|g| (g.project.clone(), g.role.word().to_owned())).collect()
}

/// Who one is.
#[derive(Serialize, ToSchema)]
struct Me {
    #[schema(format = Uuid)]
    id: String,
    name: String,
    grants: Vec<Grant>,
    /// `session`, `api_key`, `access_key` or `token`.
    credential: String,
    must_change_password: bool,
    must_enrol_second_factor: bool,
}

/// The old and the new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    #[schema(min_length = 1, max_length = 256, format = Password)]
    current: String,
    #[schema(min_length = 8, max_length = 256, format = Password)]
    new: String,
}

pub(crate) fn routes(r: &mut Routes) {
    r.add(
        Permission::Public,
        post("/login", "login", "Sign in").body::<LoginRequest>().answers::<LoginAnswer>(200).problem(401),
        login,
    );
    r.add(Permission::SignedIn, post("/logout", "logout", "End this sign-in").answers_empty(), logout);
    r.add(Permission::SignedIn, get("/me", "getMe", "Who one is").answers::<Me>(200), me);
    r.add(
        Permission::SignedIn,
        post("/me/password", "changePassword", "Change the own password")
            .describe("Ends every other sign-in of this user.")
            .body::<PasswordChange>()
            .answers_empty(),
        change_password,
    );
}

async fn login(
    State(api): State<Api>,
    Client(address): Client,
    Json(ask): Json<LoginRequest>,
) -> Result<Response, Problem> {
    api.sign_ins.take(address, Instant::now()).map_err(|s| {
        Problem::new(Kind::TooManyRequests, format!("too many sign-ins; again in {s} s")).retry_after(s)
    })?;
    let wrong = || {
        let minutes = api.config.sign_on.lock_minutes;
        let failures = api.config.sign_on.failures;
        Problem::new(
            Kind::WrongPassword,
            format!(
                "the name or the password is wrong, or the user is disabled, or locked for {minutes} minutes after {failures} wrong passwords, or passwords are not taken here"
            ),
        )
    };
    if ask.user.is_empty() || ask.user.len() > 64 || ask.password.is_empty() || ask.password.len() > 1024 {
        return Err(wrong());
    }
    let code = ask.code.as_deref().filter(|c| c.len() <= 64);
    let now_ms = time::now_ms();
    let session_ms = i64::from(api.config.api.session_hours) * 3_600_000;
    let audit = |who: &str, target: &str, outcome: &str| NewAudit {
        at_ms: now_ms,
        who: who.to_owned(),
        address: address.to_string(),
        action: "session.begin".to_owned(),
        target: format!("user {target}"),
        outcome: outcome.to_owned(),
        ..NewAudit::default()
    };
    let door = Door {
        store: &api.store,
        passwords: &api.passwords,
        policy: &api.policy,
        seal: &api.seal,
        settings: &api.config.sign_on,
        session_ms,
        now_ms,
    };
    let note = format!("password, from {address}");
    let claimed = Claimed { name: &ask.user, password: ask.password, code, note };
    match door.sign_in(claimed).await? {
        SignIn::Done(begun) => {
            api.store.append_audit(&audit(&begun.user.name, &begun.user.id, begun.how)).await?;
            let answer = LoginAnswer {
                token: begun.token.clone(),
                expires_at: time::rfc3339(begun.expires_ms),
                must_change_password: begun.user.must_change,
                must_enrol_second_factor: begun.enrolling,
            };
            Ok(([(header::SET_COOKIE, session_cookie(&begun, now_ms))], Json(answer)).into_response())
        }
        SignIn::NeedsCode(user, wrong) => {
            if let Some(why) = wrong {
                metrics::counter!("lazaret_api_sign_ins_refused_total").increment(1);
                api.store.append_audit(&audit(&user.name, &user.id, why)).await?;
            }
            Err(Problem::new(
                Kind::SecondFactor,
                match wrong {
                    None => "send the code of the second factor too, or a recovery code",
                    Some(_) => "the code is wrong or was used before: wait for the next one",
                },
            ))
        }
        SignIn::Refused(known) => {
            metrics::counter!("lazaret_api_sign_ins_refused_total").increment(1);
            // Names that nobody has are not written down: people type passwords there.
            if let Some((user, why)) = known {
                api.store.append_audit(&audit(&user.name, &user.id, why)).await?;
            }
            Err(wrong())
        }
    }
}

/// What a browser keeps of a sign-in.
pub(crate) fn session_cookie(begun: &Begun, now_ms: i64) -> String {
    let age = (begun.expires_ms - now_ms) / 1000;
    format!("{}={}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict", caller::COOKIE, begun.token)
}

/// What takes it away.
pub(crate) fn no_cookie() -> HeaderValue {
    let gone = format!("{}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict", caller::COOKIE);
    HeaderValue::from_str(&gone).unwrap_or(HeaderValue::from_static(""))
}

async fn logout(State(api): State<Api>, access: Access) -> Result<Response, Problem> {
    if access.caller.kind != "session" {
        return Err(Problem::new(
            Kind::Forbidden,
            "an API key is not signed in; it is revoked by DELETE /me/api-keys/{id}",
        ));
    }
    let record = Record::new(&access, "", "session.end", format!("user {}", access.caller.user.id));
    record.on(&api).revoke_credential(&access.caller.credential).await?;
    Ok(([(header::SET_COOKIE, no_cookie())], Empty).into_response())
}

async fn me(access: Access) -> Json<Me> {
    let c = &access.caller;
    Json(Me {
        id: c.user.id.clone(),
        name: c.user.name.clone(),
        grants: grants(&c.grants),
        credential: c.kind.clone(),
        must_change_password: c.user.must_change,
        must_enrol_second_factor: c.enrolling,
    })
}

async fn change_password(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<PasswordChange>,
) -> Result<Empty, Problem> {
    let mut user = access.caller.user.clone();
    if access.caller.kind != "session" {
        return Err(Problem::new(Kind::Forbidden, "sign in with the password to change it"));
    }
    api.sign_ins.take(access.address, Instant::now()).map_err(|s| {
        Problem::new(Kind::TooManyRequests, format!("too many tries; again in {s} s")).retry_after(s)
    })?;
    let now_ms = time::now_ms();
    if !api.passwords.verify(ask.current.clone(), Some(&user.password)).await? {
        Record::new(&access, "", "user.password", format!("user {}", user.id))
            .outcome("wrong password")
            .write(&api)
            .await?;
        return Err(Problem::new(Kind::Forbidden, "the current password is another one"));
    }
    if let Some(why) = api.policy.weakness(&ask.new, &user.name) {
        return Err(Problem::invalid(why));
    }
    if ask.new == ask.current {
        return Err(Problem::invalid("the new password is the old one"));
    }
    if api.policy.used_before(&api.store, &api.passwords, &user.id, &ask.new).await? {
        return Err(Problem::invalid("the new password is one of the last ones"));
    }
    user.password = api.passwords.hash(ask.new).await?;
    user.must_change = false;
    user.last_ms = now_ms;
    let record = Record::new(&access, "", "user.password", format!("user {}", user.id));
    record.on(&api).update_user(&user).await?;
    api.policy.note(&api.store, &user, now_ms).await?;
    for other in api.store.credentials(&user.id).await? {
        if !other.is_key() && other.id != access.caller.credential {
            api.store.revoke_credential(&other.id).await?;
        }
    }
    Ok(Empty)
}
