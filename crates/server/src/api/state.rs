// SPDX-License-Identifier: Apache-2.0
//! What handlers share.

use super::health::Standing;
use super::install::Programs;
use super::problem::{Kind, Problem};
use crate::config::Config;
use crate::console::Console;
use crate::content::{Checker, Publisher};
use crate::people::PeopleError;
use crate::people::limit::Limit;
use crate::people::oidc::Providers;
use crate::people::password::Passwords;
use crate::people::password_policy::PasswordPolicy;
use crate::people::seal::Seal;
use crate::read_only::ReadOnly;
use lazaret_store::{Store, StoreError};
use std::net::IpAddr;
use std::sync::Arc;

/// Handed to every handler; cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(Arc<Shared>);

/// See [`Api`].
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) passwords: Passwords,
    pub(crate) policy: PasswordPolicy,
    pub(crate) seal: Seal,
    pub(crate) providers: Providers,
    pub(crate) by_credential: Limit<String>,
    pub(crate) by_address: Limit<IpAddr>,
    pub(crate) sign_ins: Limit<IpAddr>,
    /// SHA-256 of the authority's certificate, lower case hexadecimal, for install lines.
    pub(crate) authority: String,
    /// The same certificate as text.
    pub(crate) certificate: String,
    pub(crate) standing: Standing,
    /// What new hosts fetch.
    pub(crate) programs: Programs,
    /// For what is sent while somebody waits.
    pub(crate) outbound: lazaret_notify::Outbound,
    pub(crate) publisher: Publisher,
    /// Where samples lie.
    pub(crate) samples: lazaret_samples::Samples,
    pub(crate) checker: Checker,
    pub(crate) read_only: ReadOnly,
    /// For browsers.
    pub(crate) console: Console,
}

impl Api {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Sign-ins of one address in a minute.
pub(crate) const SIGN_INS_PER_MINUTE: u32 = 60;

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        crate::numbers::database(&e);
        match e {
            StoreError::NotFound(what) => Self::new(Kind::NotFound, what),
            StoreError::Conflict(what) => Self::new(Kind::Conflict, what),
            StoreError::BadRequest(what) => Self::new(Kind::Invalid, what),
            StoreError::Unavailable(what) => {
                crate::log::line(&format!("api: the database is not available: {what}"));
                Self::new(Kind::Unavailable, "the database is not available; try again in a few seconds")
                    .retry_after(2)
            }
            StoreError::Full(what) => {
                crate::log::line(&format!("api: {what}"));
                Self::new(
                    Kind::Unavailable,
                    "the disk of the server's database is full, so nothing was written: make room there, then try \
                     again",
                )
                .retry_after(30)
            }
            other => {
                crate::log::line(&format!("api: the database failed: {other}"));
                Self::new(Kind::Internal, "the database failed; the server's log says why")
            }
        }
    }
}

impl From<PeopleError> for Problem {
    fn from(e: PeopleError) -> Self {
        match e {
            PeopleError::Store(e) => e.into(),
            PeopleError::Busy => Self::new(Kind::Unavailable, e.to_string()).retry_after(3),
            PeopleError::Failed(_) => {
                crate::log::line(&format!("api: {e}"));
                Self::new(Kind::Internal, "the server failed; its log says why")
            }
        }
    }
}
