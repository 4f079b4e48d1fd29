// SPDX-License-Identifier: Apache-2.0
//! Sign-in at an OpenID provider: authorization code flow with PKCE (S256), state and nonce. What is under
//! way is in the database, so that any process of the API can end it, once.

mod provider;
mod talk;
mod token;
mod user;

pub(crate) use provider::{Provider, Providers};
pub(crate) use user::Refusal;

use super::PeopleError;
use super::secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lazaret_store::{FlowRow, Store, StoreError, UserRow};
use reqwest::Url;

/// A sign-in that takes longer is begun anew.
pub(crate) const PATIENCE_MS: i64 = 10 * 60_000;

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OidcError {
    /// What the browser or the provider brought is not good.
    #[error("{0}")]
    Refused(String),
    /// The person is known and may not come in: for the audit log too.
    #[error("{0}")]
    NotLetIn(Refusal),
    /// The provider does not answer, or not so that it could be understood.
    #[error("{0}")]
    Provider(String),
    /// The server's own trouble.
    #[error(transparent)]
    People(#[from] PeopleError),
}

impl From<StoreError> for OidcError {
    fn from(e: StoreError) -> Self {
        Self::People(e.into())
    }
}

pub(crate) fn refused<T>(why: impl Into<String>) -> Result<T, OidcError> {
    Err(OidcError::Refused(why.into()))
}

/// What a browser is sent away with.
pub(crate) struct Start {
    /// Where it goes.
    pub(crate) url: String,
    /// What it keeps: the sign-in ends only where it began.
    pub(crate) browser: String,
}

/// What a browser comes back with.
#[derive(Debug)]
pub(crate) struct Back<'a> {
    pub(crate) state: &'a str,
    pub(crate) code: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    pub(crate) issuer: Option<&'a str>,
    /// From its cookie.
    pub(crate) browser: &'a str,
}

/// Somebody whom a provider vouches for.
#[derive(Debug)]
pub(crate) struct Vouched {
    pub(crate) user: UserRow,
    /// They were not known here before.
    pub(crate) new: bool,
    /// Shown to the provider when they sign out.
    pub(crate) id_token: String,
    /// Where the browser goes.
    pub(crate) back: String,
}

/// Begins.
pub(crate) async fn start(
    store: &Store,
    provider: &Provider,
    redirect: &str,
    back: &str,
    now_ms: i64,
) -> Result<Start, OidcError> {
    let metadata = provider.metadata().await?;
    let (state, nonce, verifier, browser) =
        (secret::random()?, secret::random()?, secret::random()?, secret::random()?);
    let mut url = Url::parse(&metadata.authorization_endpoint)
        .map_err(|e| OidcError::Provider(format!("authorization_endpoint: {e}")))?;
    // 256 random bits as 43 characters: the least that PKCE takes.
    let challenge = URL_SAFE_NO_PAD.encode(secret::digest(&verifier));
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.settings.client_id)
        .append_pair("redirect_uri", redirect)
        .append_pair("scope", &provider.scope())
        .append_pair("state", &state)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    let flow = FlowRow {
        state: secret::digest(&state),
        browser: secret::digest(&browser),
        provider: provider.settings.name.clone(),
        nonce,
        verifier,
        back: back.to_owned(),
        created_ms: now_ms,
    };
    store.begin_flow(&flow).await?;
    Ok(Start { url: url.into(), browser })
}

/// Ends it: who it is, as the provider says now.
pub(crate) async fn finish(
    store: &Store,
    provider: &Provider,
    redirect: &str,
    back: &Back<'_>,
    now_ms: i64,
) -> Result<Vouched, OidcError> {
    let flow = match store.take_flow(&secret::digest(back.state)).await {
        Ok(flow) => flow,
        Err(StoreError::NotFound(why)) => return refused(why),
        Err(e) => return Err(e.into()),
    };
    if flow.provider != provider.settings.name {
        return refused("this sign-in was begun at another provider");
    }
    if now_ms - flow.created_ms > PATIENCE_MS || now_ms < flow.created_ms - PATIENCE_MS {
        return refused("this sign-in took longer than 10 minutes: begin again");
    }
    if !secret::same(&flow.browser, &secret::digest(back.browser)) {
        return refused("this sign-in was begun in another browser: begin again in this one");
    }
    let metadata = provider.metadata().await?;
    match back.issuer {
        Some(issuer) if issuer != metadata.issuer => {
            return refused("the answer comes from another provider than was asked");
        }
        None if metadata.authorization_response_iss_parameter_supported => {
            return refused("the answer does not say which provider it comes from");
        }
        _ => {}
    }
    if let Some(error) = back.error {
        let shown: String = error.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
        return refused(format!("the provider let nobody in: {shown}"));
    }
    let Some(code) = back.code.filter(|c| !c.is_empty()) else {
        return refused("the answer has no code");
    };
    let tokens = provider.exchange(&metadata, code, redirect, &flow.verifier).await?;
    let claims = provider.verify(&metadata, &tokens.id_token, &flow.nonce, now_ms).await?;
    let claims = provider.complete(&metadata, claims, &tokens.access_token).await?;
    let (user, new) = user::settle(store, &provider.settings, &claims, now_ms).await?;
    Ok(Vouched { user, new, id_token: tokens.id_token, back: flow.back })
}
