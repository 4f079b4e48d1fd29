// SPDX-License-Identifier: Apache-2.0
//! Requests to those who are asked over HTTP: bounded in time and size, no redirects, no proxy.

use super::Refusal;
use super::settings::ConnectorSettings;
use reqwest::header::{HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Of an answer, bytes.
const MOST: usize = 1 << 20;

/// Whom to ask.
pub(crate) struct Http {
    pub(crate) client: Client,
    base: Url,
    pub(crate) key: HeaderValue,
}

/// What came.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Http {
    pub(crate) fn new(settings: &ConnectorSettings) -> Result<Self, String> {
        let base = Url::parse(&settings.address).map_err(|e| format!("{:?}: {e}", settings.address))?;
        if !is_safe(&base) {
            return Err(format!(
                "address = {:?}: must be https://, or http:// to this machine itself",
                settings.address
            ));
        }
        let mut key = HeaderValue::from_str(&settings.key).map_err(|_| "its key is none".to_owned())?;
        key.set_sensitive(true);
        Ok(Self { client: client(settings)?, base, key })
    }

    /// An address below the one that was given.
    pub(crate) fn below(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// Sends it; the answer is JSON, or none.
    pub(crate) async fn json(&self, request: RequestBuilder) -> Result<Answer, Refusal> {
        let mut response = request.send().await.map_err(|e| Refusal::later(whole(e)))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let after = response.headers().get(RETRY_AFTER).and_then(seconds);
            return Err(Refusal::too_often("it was asked too often (status 429)", after));
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(Refusal::never(format_args!(
                "it does not take our key (status {})",
                status.as_u16()
            )));
        }
        if status.is_redirection() {
            return Err(Refusal::never(format_args!(
                "it sends us elsewhere (status {}), where nobody told us to go",
                status.as_u16()
            )));
        }
        if status.is_server_error() {
            return Err(Refusal::later(format_args!("it does not work (status {})", status.as_u16())));
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|e| Refusal::later(whole(e)))? {
            if body.len() + part.len() > MOST {
                return Err(Refusal::later("its answer is over 1 MiB"));
            }
            body.extend_from_slice(&part);
        }
        let body = serde_json::from_slice(&body)
            .map_err(|e| Refusal::later(format_args!("its answer is no JSON: {e}")))?;
        Ok(Answer { status, body })
    }
}

/// HTTPS, or HTTP that does not leave the machine: the key goes with each question.
fn is_safe(url: &Url) -> bool {
    if !url.username().is_empty() || url.password().is_some() {
        return false;
    }
    let local = |host: &str| {
        let host = host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    };
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => local(host),
        _ => false,
    }
}

fn client(settings: &ConnectorSettings) -> Result<Client, String> {
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
        .pool_idle_timeout(Duration::from_secs(10))
        .no_proxy()
        .timeout(settings.timeout)
        .connect_timeout(settings.timeout.min(Duration::from_secs(10)))
        .user_agent(concat!("lazaret-server/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| e.to_string())
}

/// `Retry-After` in seconds; its other form, a date, is left to our own pause.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// An error with its causes, without the address.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_go_over_a_network_as_it_is() {
        for (url, safe) in [
            ("https://vt.example/", true),
            ("http://127.0.0.1:1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost/", true),
            ("http://vt.example/", false),
            ("http://127.0.0.1.example/", false),
            ("https://a:b@vt.example/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), safe, "{url}");
        }
    }
}
