// SPDX-License-Identifier: Apache-2.0
//! Whose request it is: a Bearer token, an API key, or the cookie.

use super::{PeopleError, secret};
use crate::api::permission;
use axum::http::{HeaderMap, header};
use lazaret_store::{CredentialRow, Store, StoreError, UserRow};

/// Name of the cookie; browsers take one of this name only with Secure, Path=/ and no Domain.
pub(crate) const COOKIE: &str = "__Host-lazaret";
/// Kind of a key that signs requests.
pub(crate) const ACCESS_KEY: &str = "access_key";
/// A credential's last use is noted at most so often.
const TOUCH_MS: i64 = 60_000;

/// A person or a key that was recognised.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// As the database has it now.
    pub(crate) user: UserRow,
    /// Session or key.
    pub(crate) credential: String,
    /// After narrowing by a key.
    pub(crate) grants: Vec<(String, String)>,
    /// `session`, `api_key`, `access_key` or `token`.
    pub(crate) kind: String,
    /// Came as a cookie, which a browser sends by itself.
    pub(crate) by_cookie: bool,
    /// May do nothing but enrol a second factor.
    pub(crate) enrolling: bool,
}

/// What a request brought, before anybody looked whether it is any good.
fn presented(headers: &HeaderMap) -> Option<(String, bool)> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let text = value.to_str().unwrap_or_default();
        let (scheme, token) = text.split_once(' ').unwrap_or_default();
        // What is there and cannot be used is not passed over for a cookie.
        return Some((
            if scheme.eq_ignore_ascii_case("bearer") { token.trim().to_owned() } else { String::new() },
            false,
        ));
    }
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|c| {
            let (name, value) = c.trim().split_once('=')?;
            (name == COOKIE).then(|| (value.to_owned(), true))
        })
}

/// Who it is; `None`: credentials that are absent, unknown, ended, of a disabled user.
pub(crate) async fn recognise(
    store: &Store,
    headers: &HeaderMap,
    now_ms: i64,
) -> Result<Option<Caller>, PeopleError> {
    let Some((token, by_cookie)) = presented(headers) else { return Ok(None) };
    // Longer than anything that was ever given out.
    if token.is_empty() || token.len() > 256 {
        return Ok(None);
    }
    let found = match store.credential(&secret::digest(&token)).await {
        Ok(row) => row,
        Err(StoreError::NotFound(_)) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let ended = found.expires_ms != 0 && found.expires_ms <= now_ms;
    let is_key = found.kind == "api_key";
    // An access key signs; who holds something of it as a token has not signed.
    if found.kind == ACCESS_KEY {
        return Ok(None);
    }
    // A key names its row; a key in a cookie was put there by somebody else than us.
    let right = match secret::api_key(&token) {
        Some((id, _)) => is_key && id == found.id && !by_cookie,
        None => !is_key,
    };
    if ended || !right || !secret::same(&found.hash, &secret::digest(&token)) {
        return Ok(None);
    }
    let last_ms = found.last_ms;
    let caller = of(store, found, by_cookie).await?;
    if let Some(caller) = &caller {
        touch(store, &caller.credential, last_ms, now_ms).await?;
    }
    Ok(caller)
}

/// The caller behind a credential; `None`: of a disabled user.
pub(crate) async fn of(
    store: &Store,
    found: CredentialRow,
    by_cookie: bool,
) -> Result<Option<Caller>, PeopleError> {
    let user = match store.user(&found.user).await {
        Ok(user) if !user.disabled => user,
        Ok(_) | Err(StoreError::NotFound(_)) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let grants = permission::narrowed(&user.grants, &found.grants);
    let enrolling = found.kind == super::sign_in::ENROLLING;
    let kind = if enrolling { super::sign_in::SESSION.to_owned() } else { found.kind };
    Ok(Some(Caller { user, credential: found.id, grants, kind, by_cookie, enrolling }))
}

/// A credential was used by who proved it; `last_ms` is when it was noted last.
pub(crate) async fn touch(
    store: &Store,
    credential: &str,
    last_ms: i64,
    now_ms: i64,
) -> Result<(), PeopleError> {
    if now_ms - last_ms > TOUCH_MS {
        // A database that takes no writes for a while must not keep people from looking.
        match store.touch_credential(credential, now_ms).await {
            Err(e) if !e.is_retryable() => return Err(e.into()),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_header_goes_before_a_cookie() {
        let mut h = HeaderMap::new();
        assert_eq!(presented(&h), None);
        h.insert(header::COOKIE, HeaderValue::from_static("a=b; __Host-lazaret=tok; c=d"));
        assert_eq!(presented(&h), Some(("tok".to_owned(), true)));
        h.insert(header::AUTHORIZATION, HeaderValue::from_static("bearer key"));
        assert_eq!(presented(&h), Some(("key".to_owned(), false)));
        h.insert(header::AUTHORIZATION, HeaderValue::from_static("Basic key"));
        assert_eq!(presented(&h), Some((String::new(), false)), "an unknown scheme is no way to the cookie");
    }
}
