// SPDX-License-Identifier: Apache-2.0
//! The second factor: codes by the clock, and recovery codes for the day when the device is lost.

use super::extract::{Empty, Json, Path};
use super::gate::Access;
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::record::Record;
use super::route::{Routes, delete, get, post};
use super::state::Api;
use super::users;
use crate::people::sign_in::{SESSION, second_factor_required};
use crate::people::totp;
use crate::time;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use utoipa::ToSchema;

/// How it stands.
#[derive(Serialize, ToSchema)]
struct SecondFactor {
    enabled: bool,
    /// By the server or by a project where the user has rights.
    required: bool,
    recovery_codes_left: u64,
}

/// The own password again: who sits at a machine that is left open does not have it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Enrol {
    #[schema(min_length = 1, max_length = 256, format = Password)]
    password: String,
}

/// Shown this once.
#[derive(Serialize, ToSchema)]
struct Enrolment {
    /// Base32, to be typed.
    secret: String,
    /// For a QR code.
    uri: String,
}

/// What the device shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirm {
    #[schema(min_length = 6, max_length = 16)]
    code: String,
}

/// Shown this once; each is taken once in the place of a code.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

/// Both, for what weakens it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proof {
    #[schema(min_length = 1, max_length = 256, format = Password)]
    password: String,
    /// Of the device, or a recovery code.
    #[schema(min_length = 6, max_length = 64)]
    code: String,
}

pub(crate) fn routes(r: &mut Routes) {
    let own = Permission::SignedIn;
    r.add(
        own,
        get("/me/second-factor", "getSecondFactor", "How the own second factor stands")
            .answers::<SecondFactor>(200),
        show,
    );
    r.add(
        own,
        post("/me/second-factor", "enrolSecondFactor", "Begin with a second factor")
            .describe("Codes of RFC 6238: SHA-1, six digits, 30 seconds. In force once it is confirmed.")
            .body::<Enrol>()
            .answers::<Enrolment>(201)
            .problem(409),
        enrol,
    );
    r.add(
        own,
        post("/me/second-factor/confirm", "confirmSecondFactor", "Confirm it by its first code")
            .body::<Confirm>()
            .answers::<RecoveryCodes>(200)
            .problem(409),
        confirm,
    );
    r.add(
        own,
        post("/me/second-factor/recovery-codes", "renewRecoveryCodes", "New recovery codes for the old ones")
            .body::<Proof>()
            .answers::<RecoveryCodes>(200)
            .problem(409),
        renew,
    );
    r.add(
        own,
        post("/me/second-factor/remove", "removeSecondFactor", "Do without a second factor")
            .body::<Proof>()
            .answers_empty()
            .problem(409),
        remove,
    );
    r.add(
        Permission::AdministerAll,
        delete("/users/{id}/second-factor", "resetSecondFactor", "Take a lost second factor from a user")
            .describe("Ends every sign-in of the user. Where one is required, a new one is enrolled at the next sign-in.")
            .answers_empty(),
        reset,
    );
}

fn target(access: &Access) -> String {
    format!("user {}", access.caller.user.id)
}

/// The password, from a person who is signed in with one.
async fn check_password(api: &Api, access: &Access, action: &str, password: String) -> Result<(), Problem> {
    let caller = &access.caller;
    if caller.kind != SESSION {
        return Err(Problem::new(Kind::Forbidden, "sign in to change the second factor; a key cannot"));
    }
    if caller.user.password.is_empty() {
        return Err(Problem::conflict(
            "a provider lets you in: it asks for a second factor, not this server",
        ));
    }
    api.sign_ins.take(access.address, Instant::now()).map_err(|s| {
        Problem::new(Kind::TooManyRequests, format!("too many tries; again in {s} s")).retry_after(s)
    })?;
    if api.passwords.verify(password, Some(&caller.user.password)).await? {
        return Ok(());
    }
    Record::new(access, "", action, target(access)).outcome("wrong password").write(api).await?;
    Err(Problem::new(Kind::Forbidden, "the password is another one"))
}

/// Password and code.
async fn check_proof(api: &Api, access: &Access, action: &str, proof: Proof) -> Result<(), Problem> {
    check_password(api, access, action, proof.password).await?;
    let user = &access.caller.user;
    let factor = api.store.second_factor(&user.id).await?.filter(|f| f.confirmed);
    let Some(factor) = factor else {
        return Err(Problem::conflict("there is no second factor"));
    };
    let key = api.seal.read(&user.id, &factor.secret)?;
    let right = match totp::step(&key, &proof.code, time::now_ms()) {
        Some(step) => api.store.take_step(&user.id, step).await?,
        None => api.store.take_recovery_code(&user.id, &totp::recovery_digest(&proof.code)).await?,
    };
    if right {
        return Ok(());
    }
    Record::new(access, "", action, target(access)).outcome("wrong or used code").write(api).await?;
    Err(Problem::new(Kind::Forbidden, "the code is wrong or was used before: wait for the next one"))
}

async fn show(State(api): State<Api>, access: Access) -> Result<Json<SecondFactor>, Problem> {
    let user = &access.caller.user;
    let factor = api.store.second_factor(&user.id).await?;
    let required =
        !user.password.is_empty() && second_factor_required(&api.store, &api.config.sign_on, user).await?;
    Ok(Json(SecondFactor {
        enabled: factor.is_some_and(|f| f.confirmed),
        required,
        recovery_codes_left: api.store.recovery_codes_left(&user.id).await?,
    }))
}

async fn enrol(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Enrol>,
) -> Result<super::extract::Created<Json<Enrolment>>, Problem> {
    check_password(&api, &access, "second_factor.enrol", ask.password).await?;
    let user = &access.caller.user;
    let key = totp::new_secret()?;
    let sealed = api.seal.close(&user.id, &key)?;
    api.store.begin_second_factor(&user.id, &sealed, time::now_ms()).await?;
    Record::new(&access, "", "second_factor.enrol", target(&access)).write(&api).await?;
    let shown = Enrolment { secret: totp::base32(&key), uri: totp::uri(&user.name, &key) };
    Ok(super::extract::Created(Json(shown)))
}

async fn confirm(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Confirm>,
) -> Result<Json<RecoveryCodes>, Problem> {
    let user = &access.caller.user;
    if access.caller.kind != SESSION {
        return Err(Problem::new(Kind::Forbidden, "sign in to change the second factor; a key cannot"));
    }
    api.sign_ins.take(access.address, Instant::now()).map_err(|s| {
        Problem::new(Kind::TooManyRequests, format!("too many tries; again in {s} s")).retry_after(s)
    })?;
    let factor = api.store.second_factor(&user.id).await?.filter(|f| !f.confirmed);
    let Some(factor) = factor else {
        return Err(Problem::conflict("there is nothing to confirm: begin with POST /me/second-factor"));
    };
    let key = api.seal.read(&user.id, &factor.secret)?;
    let Some(step) = totp::step(&key, &ask.code, time::now_ms()) else {
        return Err(Problem::new(
            Kind::Forbidden,
            "the code is another one: see that the clock of the device is right",
        ));
    };
    let (codes, kept) = totp::recovery_codes()?;
    if !api.store.confirm_second_factor(&user.id, step, &kept).await? {
        return Err(Problem::conflict("it was confirmed meanwhile"));
    }
    if access.caller.enrolling {
        api.store.set_credential_kind(&access.caller.credential, SESSION).await?;
    }
    Record::new(&access, "", "second_factor.confirm", target(&access)).write(&api).await?;
    Ok(Json(RecoveryCodes { recovery_codes: codes }))
}

async fn renew(
    State(api): State<Api>,
    access: Access,
    Json(ask): Json<Proof>,
) -> Result<Json<RecoveryCodes>, Problem> {
    check_proof(&api, &access, "second_factor.recovery_codes", ask).await?;
    let (codes, kept) = totp::recovery_codes()?;
    api.store.set_recovery_codes(&access.caller.user.id, &kept).await?;
    Record::new(&access, "", "second_factor.recovery_codes", target(&access)).write(&api).await?;
    Ok(Json(RecoveryCodes { recovery_codes: codes }))
}

async fn remove(State(api): State<Api>, access: Access, Json(ask): Json<Proof>) -> Result<Empty, Problem> {
    check_proof(&api, &access, "second_factor.remove", ask).await?;
    api.store.remove_second_factor(&access.caller.user.id).await?;
    Record::new(&access, "", "second_factor.remove", target(&access)).write(&api).await?;
    Ok(Empty)
}

async fn reset(State(api): State<Api>, access: Access, Path(id): Path<String>) -> Result<Empty, Problem> {
    let user = users::find(&api, &id).await?;
    let there = api.store.remove_second_factor(&user.id).await?;
    for c in api.store.credentials(&user.id).await? {
        if !c.is_key() {
            api.store.revoke_credential(&c.id).await?;
        }
    }
    Record::new(&access, "", "second_factor.reset", format!("user {id}"))
        .outcome(if there { "done" } else { "there was none" })
        .write(&api)
        .await?;
    Ok(Empty)
}
