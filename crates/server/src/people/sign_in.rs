// SPDX-License-Identifier: Apache-2.0
//! Signing in with name and password. An unknown name, a wrong password, a locked and a disabled user
//! get the same answer after the same work.

use super::password::Passwords;
use super::{PeopleError, secret};
use lazaret_store::{CredentialRow, Store, StoreError, UserRow};
use uuid::Uuid;

/// Wrong passwords in a row until a user is locked.
pub(crate) const FAILURES: i64 = 10;
/// How long then.
pub(crate) const LOCKED_MS: i64 = 15 * 60_000;

/// What came of it.
#[derive(Debug)]
pub(crate) enum SignIn {
    /// The token goes to the person and nowhere else.
    Done { user: Box<UserRow>, token: String, expires_ms: i64 },
    /// The user, where there is one: for the audit log, not for the answer.
    Refused(Option<(Box<UserRow>, &'static str)>),
}

pub(crate) async fn sign_in(
    store: &Store,
    passwords: &Passwords,
    name: &str,
    password: String,
    session_ms: i64,
    now_ms: i64,
) -> Result<SignIn, PeopleError> {
    let known = match store.user_by_name(&name.to_lowercase()).await {
        Ok(user) => Some(user),
        Err(StoreError::NotFound(_) | StoreError::BadRequest(_)) => None,
        Err(e) => return Err(e.into()),
    };
    let right = passwords.verify(password, known.as_ref().map(|u| u.password.as_str())).await?;
    let Some(known) = known else { return Ok(SignIn::Refused(None)) };
    // Read anew: others may have guessed while this one was computed.
    let user = store.user(&known.id).await?;
    let refused = |why| Ok(SignIn::Refused(Some((Box::new(user.clone()), why))));
    if user.locked_until_ms > now_ms {
        return refused("locked after wrong passwords");
    }
    if !right || user.password != known.password {
        let locked_until = if user.failures + 1 >= FAILURES { now_ms + LOCKED_MS } else { 0 };
        store.note_sign_in(&user.id, false, locked_until, now_ms).await?;
        return refused("wrong password");
    }
    if user.disabled {
        return refused("disabled");
    }
    let user = store.note_sign_in(&user.id, true, 0, now_ms).await?;
    let token = format!("lzs_{}", secret::random()?);
    let expires_ms = now_ms + session_ms;
    let row = CredentialRow {
        id: Uuid::now_v7().to_string(),
        user: user.id.clone(),
        kind: "session".to_owned(),
        hash: secret::digest(&token),
        note: String::new(),
        created_ms: now_ms,
        expires_ms,
        last_ms: now_ms,
        grants: Vec::new(),
    };
    store.create_credential(&row).await?;
    Ok(SignIn::Done { user: Box::new(user), token, expires_ms })
}
