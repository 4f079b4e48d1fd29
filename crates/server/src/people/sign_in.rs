// SPDX-License-Identifier: Apache-2.0
//! Signing in with name, password and, where there is one, a second factor. An unknown name, a wrong
//! password, a locked and a disabled user get the same answer after the same work.

use super::password::Passwords;
use super::password_policy::PasswordPolicy;
use super::seal::Seal;
use super::{PeopleError, secret, totp};
use crate::api::permission::ALL_PROJECTS;
use crate::config::SignOn;
use lazaret_store::{CredentialRow, Store, StoreError, UserRow};
use uuid::Uuid;

/// Kind of a sign-in that may do nothing but enrol a second factor.
pub(crate) const ENROLLING: &str = "enrolling";
/// Kind of one that may do what its user may.
pub(crate) const SESSION: &str = "session";

/// What a sign-in goes by.
pub(crate) struct Door<'a> {
    pub(crate) store: &'a Store,
    pub(crate) passwords: &'a Passwords,
    pub(crate) policy: &'a PasswordPolicy,
    pub(crate) seal: &'a Seal,
    pub(crate) settings: &'a SignOn,
    pub(crate) session_ms: i64,
    pub(crate) now_ms: i64,
}

/// What somebody says of themselves.
pub(crate) struct Claimed<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: String,
    pub(crate) code: Option<&'a str>,
    /// For people who look at their sign-ins: from where.
    pub(crate) note: String,
}

/// A sign-in that was begun. The token goes to the person and nowhere else.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) user: Box<UserRow>,
    pub(crate) credential: String,
    pub(crate) token: String,
    pub(crate) expires_ms: i64,
    /// Nothing but the enrolment of a second factor.
    pub(crate) enrolling: bool,
    /// What is remarkable about it, for the audit log.
    pub(crate) how: &'static str,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum SignIn {
    Done(Begun),
    /// The password is right, and the code is absent or wrong.
    NeedsCode(Box<UserRow>, Option<&'static str>),
    /// The user, where there is one: for the audit log, not for the answer.
    Refused(Option<(Box<UserRow>, &'static str)>),
}

/// Key of the setting that lets a user in without provider and second factor, until a time.
pub(crate) fn break_glass_key(user: &str) -> String {
    format!("break_glass {user}")
}

async fn breaks_glass(store: &Store, user: &str, now_ms: i64) -> Result<bool, PeopleError> {
    let until = store.setting(&break_glass_key(user)).await?;
    Ok(until.and_then(|t| t.parse::<i64>().ok()).is_some_and(|until| now_ms < until))
}

/// Whether a user needs a second factor where they have rights.
pub(crate) async fn second_factor_required(
    store: &Store,
    settings: &SignOn,
    user: &UserRow,
) -> Result<bool, PeopleError> {
    if settings.second_factor {
        return Ok(true);
    }
    let projects = store.projects_with_second_factor().await?;
    let has = |project: &String| user.grants.iter().any(|(p, _)| p == project || p == ALL_PROJECTS);
    Ok(projects.iter().any(has))
}

/// Begins a sign-in of somebody who proved who they are.
pub(crate) async fn begin(
    store: &Store,
    user: UserRow,
    kind: &str,
    note: String,
    session_ms: i64,
    now_ms: i64,
) -> Result<Begun, PeopleError> {
    let token = format!("lzs_{}", secret::random()?);
    let expires_ms = now_ms + session_ms;
    let row = CredentialRow {
        id: Uuid::now_v7().to_string(),
        user: user.id.clone(),
        kind: kind.to_owned(),
        hash: secret::digest(&token),
        note,
        created_ms: now_ms,
        expires_ms,
        last_ms: now_ms,
        grants: Vec::new(),
        secret: Vec::new(),
        parent: None,
    };
    store.create_credential(&row).await?;
    let enrolling = kind == ENROLLING;
    Ok(Begun { user: Box::new(user), credential: row.id, token, expires_ms, enrolling, how: "done" })
}

impl Door<'_> {
    pub(crate) async fn sign_in(&self, claimed: Claimed<'_>) -> Result<SignIn, PeopleError> {
        let (store, now_ms) = (self.store, self.now_ms);
        let known = match store.user_by_name(&claimed.name.to_lowercase()).await {
            Ok(user) => Some(user),
            Err(StoreError::NotFound(_) | StoreError::BadRequest(_)) => None,
            Err(e) => return Err(e.into()),
        };
        let phc = known.as_ref().map(|u| u.password.as_str()).filter(|p| !p.is_empty());
        let right = self.passwords.verify(claimed.password, phc).await?;
        let Some(known) = known else { return Ok(SignIn::Refused(None)) };
        // Read anew: others may have guessed while this one was computed.
        let user = store.user(&known.id).await?;
        let refused = |why| Ok(SignIn::Refused(Some((Box::new(user.clone()), why))));
        if user.locked_until_ms > now_ms {
            return refused("locked after wrong passwords");
        }
        if !right || user.password != known.password {
            self.count_failure(&user).await?;
            return refused("wrong password");
        }
        if user.disabled {
            return refused("disabled");
        }
        let glass = breaks_glass(store, &user.id, now_ms).await?;
        if !self.settings.passwords && !glass {
            return refused("passwords are not taken here");
        }
        let factor = store.second_factor(&user.id).await?.filter(|f| f.confirmed);
        let mut how = if glass { "break-glass" } else { "done" };
        if let Some(factor) = &factor {
            let Some(code) = claimed.code.filter(|c| !c.trim().is_empty()) else {
                return Ok(SignIn::NeedsCode(Box::new(user), None));
            };
            match self.prove(&user, &factor.secret, code).await? {
                Some(proof) => how = proof,
                None => {
                    self.count_failure(&user).await?;
                    return Ok(SignIn::NeedsCode(Box::new(user), Some("wrong or used code")));
                }
            }
        }
        let mut user = store.note_sign_in(&user.id, true, 0, now_ms).await?;
        if !user.must_change && self.policy.is_old(store, &user, now_ms).await? {
            user.must_change = true;
            store.update_user(&user).await?;
        }
        let lacks = factor.is_none() && !glass;
        let kind = if lacks && second_factor_required(store, self.settings, &user).await? {
            ENROLLING
        } else {
            SESSION
        };
        let begun = begin(store, user, kind, claimed.note, self.session_ms, now_ms).await?;
        Ok(SignIn::Done(Begun { how, ..begun }))
    }

    async fn count_failure(&self, user: &UserRow) -> Result<(), PeopleError> {
        let locked = self.now_ms + i64::from(self.settings.lock_minutes) * 60_000;
        let until = if user.failures + 1 >= i64::from(self.settings.failures) { locked } else { 0 };
        self.store.note_sign_in(&user.id, false, until, self.now_ms).await?;
        Ok(())
    }

    /// Whether a code is right, and was not used before; the words for the audit log.
    async fn prove(
        &self,
        user: &UserRow,
        sealed: &[u8],
        code: &str,
    ) -> Result<Option<&'static str>, PeopleError> {
        let key = self.seal.read(&user.id, sealed)?;
        if let Some(step) = totp::step(&key, code, self.now_ms) {
            return Ok(self.store.take_step(&user.id, step).await?.then_some("done"));
        }
        let digest = totp::recovery_digest(code);
        let taken = self.store.take_recovery_code(&user.id, &digest).await?;
        Ok(taken.then_some("done with a recovery code"))
    }
}
