// SPDX-License-Identifier: Apache-2.0
//! Who a provider's person is here: a user of their own, made at the first sign-in, whose rights are made
//! anew from the groups at each one. A local user never becomes theirs by having the same name.

use super::OidcError;
use super::token::Claims;
use crate::config::Provider as Settings;
use crate::log;
use lazaret_model::Sha256;
use lazaret_store::{Store, StoreError, UserRow};
use sha2::Digest as _;
use std::fmt;
use uuid::Uuid;

/// Longest name of a user.
const LONGEST: usize = 64;

/// Who is known and may not come in.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) user: Option<Box<UserRow>>,
    pub(crate) why: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why)
    }
}

/// What the groups give, without duplicates. Projects that are not there give nothing.
async fn grants(
    store: &Store,
    settings: &Settings,
    groups: &[&str],
) -> Result<Vec<(String, String)>, OidcError> {
    let mut found = Vec::new();
    for r in settings.roles.iter().filter(|r| groups.contains(&r.group.as_str())) {
        if r.project != crate::api::permission::ALL_PROJECTS {
            match store.project(&r.project).await {
                Ok(_) => {}
                Err(StoreError::NotFound(_)) => {
                    let (provider, project) = (&settings.name, r.project.escape_default());
                    log::line(&format!(
                        "sign-on: {provider}: roles name a project that is not there: {project}"
                    ));
                    continue;
                }
                Err(e) => return Err(e.into()),
            }
        }
        let grant = (r.project.clone(), r.role.clone());
        if !found.contains(&grant) {
            found.push(grant);
        }
    }
    Ok(found)
}

/// The claim as a name that users here can have.
fn wanted_name(settings: &Settings, claims: &Claims) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "._@-".contains(*c);
    let from = [settings.name_claim.as_str(), "preferred_username", "email"];
    let name = from.iter().find_map(|n| claims.text(n)).unwrap_or_default();
    let name: String = name.to_lowercase().chars().filter(plain).take(LONGEST).collect();
    if name.is_empty() { fallback_name(settings, claims) } else { name }
}

/// One that nobody else has.
fn fallback_name(settings: &Settings, claims: &Claims) -> String {
    let digest = Sha256(sha2::Sha256::digest(claims.subject.as_bytes()).into()).to_string();
    format!("{}.{}", settings.name, &digest[..16])
}

async fn make(
    store: &Store,
    settings: &Settings,
    claims: &Claims,
    grants: Vec<(String, String)>,
    now_ms: i64,
) -> Result<UserRow, OidcError> {
    let wanted = wanted_name(settings, claims);
    let mut second: String = wanted.chars().take(LONGEST - settings.name.len() - 1).collect();
    second.push('.');
    second.push_str(&settings.name);
    let mut last = None;
    for name in [wanted, second, fallback_name(settings, claims)] {
        let user = UserRow {
            id: Uuid::now_v7().to_string(),
            name,
            // No password: none is right.
            password: String::new(),
            must_change: false,
            disabled: false,
            failures: 0,
            locked_until_ms: 0,
            created_ms: now_ms,
            last_ms: now_ms,
            grants: grants.clone(),
        };
        match store.create_user(&user).await {
            Ok(()) => {
                return match store.add_identity(&settings.name, &claims.subject, &user.id).await {
                    Ok(()) => Ok(user),
                    // Two first sign-ins at once: the other one made the user.
                    Err(StoreError::Conflict(_)) => {
                        store.delete_user(&user.id).await?;
                        let other = store.identity(&settings.name, &claims.subject).await?;
                        Ok(store.user(&other.unwrap_or_default()).await?)
                    }
                    Err(e) => Err(e.into()),
                };
            }
            Err(e @ StoreError::Conflict(_)) => last = Some(e),
            Err(e) => return Err(e.into()),
        }
    }
    Err(last.map_or_else(|| OidcError::Refused("no name is free for this person".to_owned()), Into::into))
}

/// The user, made or brought up to date; and whether it is new.
pub(super) async fn settle(
    store: &Store,
    settings: &Settings,
    claims: &Claims,
    now_ms: i64,
) -> Result<(UserRow, bool), OidcError> {
    let grants = grants(store, settings, &claims.texts(&settings.groups_claim)).await?;
    let known = store.identity(&settings.name, &claims.subject).await?;
    let not_in =
        |user: Option<UserRow>, why| Err(OidcError::NotLetIn(Refusal { user: user.map(Box::new), why }));
    let Some(id) = known else {
        if grants.is_empty() {
            return not_in(None, "none of the groups of this person has a role here");
        }
        return Ok((make(store, settings, claims, grants, now_ms).await?, true));
    };
    let mut user = store.user(&id).await?;
    let lost = grants.is_empty();
    // Also before they are turned away: sign-ins that go on must not keep what the groups took.
    if user.grants != grants {
        user.grants = grants;
        store.update_user(&user).await?;
    }
    if lost {
        store.revoke_credentials(&user.id).await?;
        return not_in(Some(user), "none of the groups of this person has a role here");
    }
    if user.disabled {
        return not_in(Some(user), "disabled");
    }
    Ok((store.note_sign_in(&user.id, true, 0, now_ms).await?, false))
}
