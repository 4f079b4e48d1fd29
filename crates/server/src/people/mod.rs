// SPDX-License-Identifier: Apache-2.0
//! Who asks: users, what they sign in with, how often they may ask.

pub(crate) mod caller;
mod known_passwords;
pub(crate) mod limit;
pub(crate) mod oidc;
pub(crate) mod password;
pub(crate) mod password_policy;
pub(crate) mod proxy;
pub(crate) mod seal;
pub(crate) mod secret;
pub(crate) mod sign_in;
pub(crate) mod totp;

use lazaret_store::StoreError;

/// Why it could not be told who asks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeopleError {
    /// Too many sign-ins wait for their turn.
    #[error("too many sign-ins at the moment; try again in a few seconds")]
    Busy,
    /// Something that should not.
    #[error("{0}")]
    Failed(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
