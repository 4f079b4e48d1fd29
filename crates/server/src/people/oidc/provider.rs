// SPDX-License-Identifier: Apache-2.0
//! One provider: what it says of itself, its keys, its tokens.

use super::talk::{self, PATIENCE};
use super::token::{self, Claims};
use super::{OidcError, refused};
use crate::config::{Provider as Settings, SignOn, safe_address};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, Url};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

/// What a provider says of itself is good for so long.
const METADATA: Duration = Duration::from_secs(3_600);
/// A token with an unknown key makes us ask for keys, but not more often: anybody can send such tokens.
const KEYS: Duration = Duration::from_secs(30);

/// From `/.well-known/openid-configuration`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) userinfo_endpoint: Option<String>,
    #[serde(default)]
    pub(crate) end_session_endpoint: Option<String>,
    /// Required by the standard; who does not say it means RS256.
    #[serde(default)]
    pub(super) id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// What the code was exchanged for.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: String,
    #[serde(default)]
    pub(super) access_token: String,
}

#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    keys: Option<(Arc<JwkSet>, Instant)>,
    /// When an unknown key made us ask again.
    asked: Option<Instant>,
}

/// A provider.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) settings: Settings,
    secret: String,
    client: Client,
    known: Mutex<Known>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Providers(Vec<Provider>);

impl Providers {
    /// By the configuration. Asks nobody yet: a provider that is away must not keep the server from starting.
    pub(crate) fn load(settings: &SignOn) -> anyhow::Result<Self> {
        let one = |p: &Settings| -> anyhow::Result<Provider> {
            let secret = match &p.client_secret_file {
                Some(path) => std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?
                    .trim()
                    .to_owned(),
                None => p.client_secret.clone(),
            };
            let client = talk::client(p).map_err(anyhow::Error::msg)?;
            Ok(Provider { settings: p.clone(), secret, client, known: Mutex::default() })
        };
        let with = |p: &Settings| one(p).map_err(|e| e.context(format!("[[sign_on.providers]] {}", p.name)));
        Ok(Self(settings.providers.iter().map(with).collect::<anyhow::Result<_>>()?))
    }

    pub(crate) fn all(&self) -> &[Provider] {
        &self.0
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Provider> {
        self.0.iter().find(|p| p.settings.name == name)
    }
}

impl Provider {
    /// What it is asked for.
    pub(super) fn scope(&self) -> String {
        let mut scopes = vec!["openid"];
        scopes.extend(self.settings.scopes.iter().map(String::as_str).filter(|s| *s != "openid"));
        scopes.join(" ")
    }

    /// Nobody waits long for others who wait for a provider that hangs.
    async fn known(&self) -> Result<MutexGuard<'_, Known>, OidcError> {
        tokio::time::timeout(PATIENCE, self.known.lock())
            .await
            .map_err(|_| OidcError::Provider("the provider keeps everybody waiting".to_owned()))
    }

    /// What it says of itself, at most an hour old.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        let mut known = self.known().await?;
        if let Some((metadata, at)) = &known.metadata
            && at.elapsed() < METADATA
        {
            return Ok(Arc::clone(metadata));
        }
        let url = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let metadata: Metadata = talk::json("configuration", self.client.get(url)).await?;
        if metadata.issuer != self.settings.issuer {
            let other = metadata.issuer.escape_default().to_string();
            return Err(OidcError::Provider(format!(
                "the provider calls itself {other}, not {}: correct issuer in the configuration",
                self.settings.issuer
            )));
        }
        let addresses = [
            Some(&metadata.authorization_endpoint),
            Some(&metadata.token_endpoint),
            Some(&metadata.jwks_uri),
            metadata.userinfo_endpoint.as_ref(),
            metadata.end_session_endpoint.as_ref(),
        ];
        if let Some(bad) = addresses.into_iter().flatten().find(|a| !safe_address(a)) {
            let bad = bad.escape_default();
            return Err(OidcError::Provider(format!(
                "the provider names an address that is not safe: {bad}"
            )));
        }
        let metadata = Arc::new(metadata);
        known.metadata = Some((Arc::clone(&metadata), Instant::now()));
        Ok(metadata)
    }

    /// Its keys; asked for anew, within the limit, when one is missing.
    async fn keys(&self, metadata: &Metadata, kid: Option<&str>) -> Result<Arc<JwkSet>, OidcError> {
        let mut known = self.known().await?;
        // What a provider took out of its keys is not good for ever.
        let fresh = known.keys.as_ref().filter(|(_, at)| at.elapsed() < METADATA).map(|(k, _)| Arc::clone(k));
        if let Some(keys) = fresh {
            let has = kid.is_none_or(|kid| keys.find(kid).is_some());
            if has || known.asked.is_some_and(|at| at.elapsed() < KEYS) {
                return Ok(keys);
            }
            known.asked = Some(Instant::now());
        }
        let found: serde_json::Value = talk::json("keys", self.client.get(&metadata.jwks_uri)).await?;
        // A key of a kind that we do not know does not spoil the others.
        let keys = found["keys"].as_array().map_or(&[] as &[_], Vec::as_slice);
        let keys = keys.iter().filter_map(|k| serde_json::from_value(k.clone()).ok()).collect();
        let keys = Arc::new(JwkSet { keys });
        known.keys = Some((Arc::clone(&keys), Instant::now()));
        Ok(keys)
    }

    /// Gives the code for tokens.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        code: &str,
        redirect: &str,
        verifier: &str,
    ) -> Result<Tokens, OidcError> {
        let id = self.settings.client_id.as_str();
        let methods = &metadata.token_endpoint_auth_methods_supported;
        let offers = |m: &str| methods.iter().any(|o| o == m);
        // Who says nothing takes `client_secret_basic`.
        let in_body = !offers("client_secret_basic") && offers("client_secret_post");
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        let mut request = self.client.post(&metadata.token_endpoint);
        if self.secret.is_empty() {
            form.push(("client_id", id));
        } else if in_body {
            form.extend([("client_id", id), ("client_secret", self.secret.as_str())]);
        } else {
            let pair = format!("{}:{}", form_text(&[("", id)]), form_text(&[("", self.secret.as_str())]));
            request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
        }
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form_text(&form));
        talk::json("token answer", request).await
    }

    /// The claims of an ID token, when all of it is right.
    pub(super) async fn verify(
        &self,
        metadata: &Metadata,
        id_token: &str,
        nonce: &str,
        now_ms: i64,
    ) -> Result<Claims, OidcError> {
        let head = token::head(id_token, &self.settings.algorithms, metadata)?;
        let keys = self.keys(metadata, head.kid.as_deref()).await?;
        let expected = token::Expected {
            issuer: &metadata.issuer,
            client: &self.settings.client_id,
            nonce,
            now: now_ms.div_euclid(1000),
        };
        token::verify(id_token, &head, &keys, &expected)
    }

    /// With the claims that the token does not have and the provider gives elsewhere.
    pub(super) async fn complete(
        &self,
        metadata: &Metadata,
        mut claims: Claims,
        access_token: &str,
    ) -> Result<Claims, OidcError> {
        let wanted = [self.settings.groups_claim.as_str(), self.settings.name_claim.as_str()];
        let (false, Some(url)) = (wanted.iter().all(|w| claims.has(w)), &metadata.userinfo_endpoint) else {
            return Ok(claims);
        };
        if access_token.is_empty() || !access_token.bytes().all(|b| b.is_ascii_graphic()) {
            return Ok(claims);
        }
        let request = self.client.get(url).header("authorization", format!("Bearer {access_token}"));
        let more: serde_json::Map<String, serde_json::Value> = talk::json("userinfo", request).await?;
        if more.get("sub").and_then(|s| s.as_str()) != Some(claims.subject.as_str()) {
            return refused("the provider's userinfo is about somebody else");
        }
        claims.add(more);
        Ok(claims)
    }

    /// Where a browser goes to sign out there too; `None`: the provider has no such place.
    pub(crate) async fn end_session(&self, id_token: &str, back: &str) -> Result<Option<String>, OidcError> {
        let metadata = self.metadata().await?;
        let Some(address) = &metadata.end_session_endpoint else { return Ok(None) };
        let mut url =
            Url::parse(address).map_err(|e| OidcError::Provider(format!("end_session_endpoint: {e}")))?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token)
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", back);
        Ok(Some(url.into()))
    }
}

/// Pairs as a form has them; a pair without a name is its value alone.
fn form_text(pairs: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse("form:") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    let text = url.query().unwrap_or_default();
    match pairs {
        [("", _)] => text.trim_start_matches('=').to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::form_text;

    #[test]
    fn forms() {
        assert_eq!(form_text(&[("a", "x y"), ("b", "1&2=3")]), "a=x+y&b=1%262%3D3");
        assert_eq!(form_text(&[("", "i:d/é")]), "i%3Ad%2F%C3%A9");
        assert_eq!(form_text(&[("", "=x")]), "%3Dx");
    }
}
