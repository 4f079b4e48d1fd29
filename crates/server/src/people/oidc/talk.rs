// SPDX-License-Identifier: Apache-2.0
//! Requests to a provider: bounded in time and size, no redirects, no proxy, its certificate by the
//! machine's authorities or by one that is given.

use super::OidcError;
use crate::config::Provider as Settings;
use reqwest::{Client, RequestBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// For a whole answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Of an answer.
const MOST: usize = 1 << 20;

/// A client for one provider.
pub(super) fn client(settings: &Settings) -> Result<Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    match &settings.authority {
        Some(path) => {
            let shown = path.display();
            for one in CertificateDer::pem_file_iter(path).map_err(|e| format!("{shown}: {e}"))? {
                let one = one.map_err(|e| format!("{shown}: {e}"))?;
                roots.add(one).map_err(|e| format!("{shown}: {e}"))?;
            }
            if roots.is_empty() {
                return Err(format!("{shown}: holds no certificate"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        // Minutes lie between two requests: a connection that the provider has closed meanwhile would be taken
        // for one that works, and what is posted is not sent a second time.
        .pool_max_idle_per_host(0)
        .no_proxy()
        .timeout(PATIENCE)
        .connect_timeout(PATIENCE / 2)
        .user_agent(concat!("lazaret-server/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| e.to_string())
}

/// An error with its causes, without the address: that may hold a code.
fn whole(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(why) = cause {
        text.push_str(": ");
        text.push_str(&why.to_string());
        cause = why.source();
    }
    text
}

/// Sends it and reads JSON.
pub(super) async fn json<T: DeserializeOwned>(what: &str, request: RequestBuilder) -> Result<T, OidcError> {
    let failed = |why: &dyn std::fmt::Display| OidcError::Provider(format!("the provider's {what}: {why}"));
    let mut response = request.send().await.map_err(|e| failed(&whole(e)))?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|e| failed(&whole(e)))? {
        if body.len() + part.len() > MOST {
            return Err(failed(&"the answer is over 1 MiB"));
        }
        body.extend_from_slice(&part);
    }
    if !status.is_success() {
        // The word is one of RFC 6749; what else a provider says stays with it.
        let word = serde_json::from_slice::<serde_json::Value>(&body)
            .ok()
            .and_then(|v| v["error"].as_str().map(str::to_owned))
            .unwrap_or_default();
        let word: String = word.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(64).collect();
        let why = format!("status {} {word}", status.as_u16());
        return match word.as_str() {
            "invalid_grant" => super::refused(format!("the provider's {what}: {why}")),
            _ => Err(failed(&why)),
        };
    }
    serde_json::from_slice(&body).map_err(|e| failed(&e))
}
