// SPDX-License-Identifier: Apache-2.0
//! The API for another door of the same process (docs/adr/0017): the door says who asks, in its own way, and asks what
//! it wants of `/api/v1`. What may be asked, and what is written down of it, stays with the API.

use crate::api::gate::{Client, Known, address};
use crate::api::idempotency::FAILED;
use crate::api::state::Api;
use crate::people::caller::{self, ACCESS_KEY, Caller};
use crate::people::{PeopleError, secret};
use crate::{log, time};
use axum::Router;
use axum::body::Body;
use axum::http::{Extensions, Request};
use axum::response::Response;
use lazaret_store::{AnswerRow, CredentialRow, NewAudit, Store, StoreError};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;
use thiserror::Error;
use tower::ServiceExt as _;
use uuid::Uuid;

/// Kind of what was got with an access key and is sent instead of a signature.
const TOKEN: &str = "token";

/// A door: given the API, its routes.
pub type Door = fn(Inside) -> Router;

/// Why the API cannot say who somebody is.
#[derive(Debug, Error)]
pub enum InsideError {
    /// Too many of them.
    #[error("too many requests; again in {0} s")]
    TooMany(u64),
    /// The database is gone, or something broke; the log says what.
    #[error("{0}")]
    Failed(String),
}

/// Somebody who was recognised.
#[derive(Debug, Clone)]
pub struct Person(Arc<Caller>);

impl Person {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.user.name
    }

    /// The identity, which stays when the name changes.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.user.id
    }

    /// What they came with: the AK, or a sign-in's identity.
    #[must_use]
    pub fn credential(&self) -> &str {
        &self.0.credential
    }

    /// Whether they have any right in a project; `*` in their grants is every project.
    #[must_use]
    pub fn is_in(&self, project: &str) -> bool {
        self.0.grants.iter().any(|(p, _)| p == project || p == "*")
    }
}

/// An access key that is good, and what it signs with.
#[derive(Clone)]
pub struct Signer {
    /// Whose.
    pub person: Person,
    /// The SK.
    pub secret: Vec<u8>,
    last_ms: i64,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("person", &self.person.0.user.name).finish_non_exhaustive()
    }
}

/// A token that was made.
#[derive(Debug, Clone)]
pub struct Token {
    /// For `X-Auth-Token`, or `Authorization: Bearer`.
    pub text: String,
    /// Since.
    pub issued_ms: i64,
    /// Until.
    pub expires_ms: i64,
}

/// What was answered to the same request before.
#[derive(Debug)]
pub enum Before {
    /// Nothing: go on, then [`Inside::answered`].
    Nothing,
    /// It has begun and not ended.
    Running,
    /// That.
    Answer(u16, Vec<u8>),
}

/// The API; cheap to clone.
#[derive(Clone)]
pub struct Inside {
    api: Api,
    router: Router,
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inside").finish_non_exhaustive()
    }
}

/// Whether a text has the form of an AK.
fn can_be_access_key(text: &str) -> bool {
    text.len() == 20 && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
}

fn failed(e: PeopleError) -> InsideError {
    match e {
        PeopleError::Store(e) => broken(&e),
        other => {
            log::line(&format!("inside: {other}"));
            InsideError::Failed("the server failed; its log says why".to_owned())
        }
    }
}

fn broken(e: &StoreError) -> InsideError {
    crate::numbers::database(e);
    log::line(&format!("inside: {e}"));
    InsideError::Failed("the database is not available; try again in a few seconds".to_owned())
}

impl Inside {
    pub(crate) fn new(api: Api, router: Router) -> Self {
        Self { api, router }
    }

    /// Milliseconds since the epoch by the server's clock.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        time::now_ms()
    }

    /// Where people reach this server: `https://NAME:PORT`.
    #[must_use]
    pub fn public(&self) -> String {
        self.api.config.public_api()
    }

    /// The client's address, with trusted proxies looked through.
    #[must_use]
    pub fn address(&self, extensions: &Extensions) -> IpAddr {
        address(extensions)
    }

    /// Before anybody is recognised.
    ///
    /// # Errors
    /// `TooMany` of this address.
    pub fn knock(&self, from: IpAddr) -> Result<(), InsideError> {
        self.api.by_address.take(from, Instant::now()).map_err(InsideError::TooMany)
    }

    /// Before a person's request is looked at.
    ///
    /// # Errors
    /// `TooMany` of this credential.
    pub fn take(&self, person: &Person) -> Result<(), InsideError> {
        let credential = person.0.credential.clone();
        self.api.by_credential.take(credential, Instant::now()).map_err(InsideError::TooMany)
    }

    /// The access key of this name; `None`: unknown, ended, or of a disabled user. Its holder has proved nothing yet.
    ///
    /// # Errors
    /// The database is gone, or the secret does not open.
    pub async fn signer(&self, access: &str) -> Result<Option<Signer>, InsideError> {
        // Anybody sends anything here: the database is asked for what can be one.
        if !can_be_access_key(access) {
            return Ok(None);
        }
        let row = match self.api.store.credential_of_id(access).await {
            Ok(row) => row,
            Err(StoreError::NotFound(_) | StoreError::BadRequest(_)) => return Ok(None),
            Err(e) => return Err(broken(&e)),
        };
        if row.kind != ACCESS_KEY || (row.expires_ms != 0 && row.expires_ms <= time::now_ms()) {
            return Ok(None);
        }
        let secret = self.api.seal.read(&row.id, &row.secret).map_err(failed)?;
        // Not its last use yet: whoever knows the AK alone could make an idle key look used.
        let last_ms = row.last_ms;
        let caller = caller::of(&self.api.store, row, false).await.map_err(failed)?;
        Ok(caller.map(|c| Signer { person: Person(Arc::new(c)), secret, last_ms }))
    }

    /// Its holder has proved it: it was used.
    ///
    /// # Errors
    /// The database is broken; one that takes no writes for a while keeps nobody from looking.
    pub async fn used(&self, signer: &Signer) -> Result<(), InsideError> {
        let credential = &signer.person.0.credential;
        let touched = caller::touch(&self.api.store, credential, signer.last_ms, time::now_ms()).await;
        touched.map_err(failed)
    }

    /// Whose token it is; `None`: unknown, ended, or of a disabled user.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn bearer(&self, token: &str) -> Result<Option<Person>, InsideError> {
        let mut headers = axum::http::HeaderMap::new();
        let Ok(value) = format!("Bearer {token}").parse() else { return Ok(None) };
        headers.insert(axum::http::header::AUTHORIZATION, value);
        let caller = caller::recognise(&self.api.store, &headers, time::now_ms()).await.map_err(failed)?;
        Ok(caller.map(|c| Person(Arc::new(c))))
    }

    /// A token for who has proved an access key. It has the key's rights and ends with it.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn token(&self, person: &Person, from: IpAddr) -> Result<Token, InsideError> {
        let text = format!("lzs_{}", secret::random().map_err(failed)?);
        let issued_ms = time::now_ms();
        let key = self.api.store.credential_of_id(&person.0.credential).await.map_err(|e| broken(&e))?;
        let hours = issued_ms + i64::from(self.api.config.api.session_hours) * 3_600_000;
        let expires_ms = if key.expires_ms == 0 { hours } else { hours.min(key.expires_ms) };
        let row = CredentialRow {
            id: Uuid::now_v7().to_string(),
            user: key.user,
            kind: TOKEN.to_owned(),
            hash: secret::digest(&text),
            note: format!("access key {}, from {from}", key.id),
            created_ms: issued_ms,
            expires_ms,
            last_ms: issued_ms,
            grants: key.grants,
            secret: Vec::new(),
            parent: Some(key.id.clone()),
        };
        let audit = NewAudit {
            at_ms: issued_ms,
            who: person.name().to_owned(),
            address: from.to_string(),
            action: "session.begin".to_owned(),
            target: format!("access_key {}", key.id),
            outcome: "done".to_owned(),
            ..NewAudit::default()
        };
        let store: Store = self.api.store.audited(vec![audit]);
        store.create_credential(&row).await.map_err(|e| broken(&e))?;
        Ok(Token { text, issued_ms, expires_ms })
    }

    /// Whether a project is there at all.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn has_project(&self, project: &str) -> Result<bool, InsideError> {
        match self.api.store.project(project).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound(_) | StoreError::BadRequest(_)) => Ok(false),
            Err(e) => Err(broken(&e)),
        }
    }

    /// Asks the API; `person` is whom it takes the request to be of, nobody for what is public.
    pub async fn ask(&self, person: Option<&Person>, from: IpAddr, mut request: Request<Body>) -> Response {
        let extensions = request.extensions_mut();
        extensions.insert(Client(from));
        if let Some(person) = person {
            extensions.insert(Known(Arc::clone(&person.0)));
        }
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Begins a write that has a name of its own: the same name again gets the same answer, for a day.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn begin(&self, person: &Person, key: &str, request: &[u8]) -> Result<Before, InsideError> {
        let row = AnswerRow {
            user: person.id().to_owned(),
            key: key.to_owned(),
            request: request.to_vec(),
            status: 0,
            body: Vec::new(),
            at_ms: time::now_ms(),
        };
        Ok(match self.api.store.begin_answer(&row).await {
            Ok(None) => Before::Nothing,
            Ok(Some(before)) if before.status == FAILED => Before::Nothing,
            Ok(Some(before)) => match u16::try_from(before.status) {
                Ok(status) if status != 0 => Before::Answer(status, before.body),
                _ => Before::Running,
            },
            // The name is of the whole request: another one under it is nobody's.
            Err(StoreError::Conflict(_)) => Before::Running,
            Err(e) => return Err(broken(&e)),
        })
    }

    /// Ends what [`Self::begin`] began; status 0: as if it had not begun.
    ///
    /// # Errors
    /// The database is gone.
    pub async fn answered(
        &self,
        person: &Person,
        key: &str,
        status: u16,
        body: &[u8],
    ) -> Result<(), InsideError> {
        let status = if status >= 500 { FAILED } else { i64::from(status) };
        self.api.store.finish_answer(person.id(), key, status, body).await.map_err(|e| broken(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_an_access_key() {
        assert!(can_be_access_key(&secret::access_key_id().unwrap()));
        for none in ["", "LZ", "lzaaaaaaaaaaaaaaaaaa", "LZAAAAAAAAAAAAAAAAA\0", "LZAAAAAAAAAAAAAAAAAAA"] {
            assert!(!can_be_access_key(none), "{none}");
        }
    }
}
