// SPDX-License-Identifier: Apache-2.0
//! Requests to a server's REST API.

use crate::error::CliError;
use crate::escape;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};

/// Longest answer that is read: a page of a thousand alarms with their forensics.
const MOST: u64 = 64 << 20;

/// Pages that are read for one list.
const PAGES: usize = 200;

/// A server, and who asks it.
pub(super) struct Http {
    agent: Agent,
    base: String,
    token: Option<String>,
}

/// What a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// How a server's certificate is known.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// Its authority, PEM.
    Authority(String),
    /// Not at all: only to fetch the authority, whose fingerprint is compared then.
    Unknown,
}

impl Http {
    /// `url` is `https://HOST:PORT`, or `http://` on loopback.
    ///
    /// # Errors
    /// The URL or the certificate makes no sense.
    pub(super) fn new(url: &str, trust: &Trust, token: Option<String>) -> Result<Self, CliError> {
        let base = url.trim_end_matches('/').to_owned();
        let loopback = ["http://127.", "http://[::1]", "http://localhost"];
        if !base.starts_with("https://") && !loopback.iter().any(|l| base.starts_with(l)) {
            return Err(CliError::Usage(format!(
                "{} is no server: it must begin with https:// (http:// only on this machine)",
                escape::text(url)
            )));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls =
            TlsConfig::builder().provider(TlsProvider::Rustls).unversioned_rustls_crypto_provider(provider);
        let tls = match trust {
            Trust::Unknown => tls.disable_verification(true),
            Trust::Authority(pem) => {
                let authority = Certificate::from_pem(pem.as_bytes())
                    .map_err(|e| CliError::Failed(format!("the stored authority cannot be read: {e}")))?;
                tls.root_certs(RootCerts::new_with_certs(&[authority]))
            }
        };
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .user_agent(concat!("lazaret/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { agent: config.new_agent(), base, token })
    }

    /// # Errors
    /// As [`Self::send`].
    pub(super) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, CliError> {
        self.send(Method::Get, path, query, None)
    }

    /// # Errors
    /// As [`Self::send`].
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, CliError> {
        self.send(Method::Post, path, &[], Some(body))
    }

    /// Every page of a list.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn all(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<Value>, CliError> {
        self.some(path, query, usize::MAX)
    }

    /// The first `most` of a list.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn some(
        &self,
        path: &str,
        query: &[(&str, String)],
        most: usize,
    ) -> Result<Vec<Value>, CliError> {
        let mut out: Vec<Value> = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES {
            let mut query = query.to_vec();
            query.push(("limit", most.saturating_sub(out.len()).clamp(1, 1000).to_string()));
            query.extend(after.take().map(|a| ("after", a)));
            let mut page = self.get(path, &query)?;
            if let Some(items) = page["items"].as_array_mut() {
                out.append(items);
            }
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() || out.len() >= most {
                break;
            }
        }
        out.truncate(most);
        Ok(out)
    }

    /// One request; `path` is behind `/api/v1`.
    ///
    /// # Errors
    /// Nobody answers, the certificate is not the authority's, or the server's problem in its words.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<Value, CliError> {
        let (status, value) = self.answer(method, path, query, body)?;
        if (200..300).contains(&status) { Ok(value) } else { Err(self.problem(status, &value)) }
    }

    /// A PUT of what was read at this revision.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn put_at(&self, path: &str, revision: i64, body: &Value) -> Result<Value, CliError> {
        let tag = format!("\"{revision}\"");
        let path = format!("/api/v1{path}");
        let answer = self.exchange(Method::Put, &path, &[], Some(body), &[("if-match", &tag)])?;
        let (status, value) = self.read(answer)?;
        if (200..300).contains(&status) { Ok(value) } else { Err(self.problem(status, &value)) }
    }

    /// A POST that is answered with a file: its bytes go to `to`, and the header that is asked for comes back.
    ///
    /// # Errors
    /// As [`Self::send`], and of writing.
    pub(super) fn file(
        &self,
        path: &str,
        body: &Value,
        header: &str,
        to: &mut impl std::io::Write,
    ) -> Result<(u64, Option<String>), CliError> {
        let answer = self.exchange(Method::Post, &format!("/api/v1{path}"), &[], Some(body), &[])?;
        if answer.status().as_u16() != 200 {
            let (status, value) = self.read(answer)?;
            return Err(self.problem(status, &value));
        }
        let found = answer.headers().get(header).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let mut reader = answer.into_body().into_with_config().limit(u64::MAX).reader();
        let copied = std::io::copy(&mut reader, to)
            .map_err(|e| CliError::Failed(format!("the file did not come to its end: {e}")))?;
        Ok((copied, found))
    }

    /// A POST that one kind of problem is an answer to as well: `None` then.
    ///
    /// # Errors
    /// As [`Self::send`], for every other problem.
    pub(super) fn post_unless(
        &self,
        path: &str,
        body: &Value,
        kind: &str,
    ) -> Result<Option<Value>, CliError> {
        let (status, value) = self.answer(Method::Post, path, &[], Some(body))?;
        if (200..300).contains(&status) {
            return Ok(Some(value));
        }
        if value["type"].as_str().and_then(|t| t.strip_prefix("urn:lazaret:problem:")) == Some(kind) {
            return Ok(None);
        }
        Err(self.problem(status, &value))
    }

    fn answer(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> Result<(u16, Value), CliError> {
        self.read(self.exchange(method, &format!("/api/v1{path}"), query, body, &[])?)
    }

    fn read(&self, mut answer: ureq::http::Response<Body>) -> Result<(u16, Value), CliError> {
        let status = answer.status().as_u16();
        let text = answer
            .body_mut()
            .with_config()
            .limit(MOST)
            .read_to_string()
            .map_err(|e| self.unreachable(&e.to_string()))?;
        let value =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::Null) };
        Ok((status, value))
    }

    /// A path outside the API, as text.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn plain(&self, path: &str) -> Result<String, CliError> {
        let mut answer = self.exchange(Method::Get, path, &[], None, &[])?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(self.problem(status, &Value::Null));
        }
        answer
            .body_mut()
            .with_config()
            .limit(1 << 20)
            .read_to_string()
            .map_err(|e| self.unreachable(&e.to_string()))
    }

    /// An answer that goes on and on.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) fn stream(&self, path: &str) -> Result<ureq::BodyReader<'static>, CliError> {
        let answer = self.exchange(Method::Get, &format!("/api/v1{path}"), &[], None, &[])?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(self.problem(status, &Value::Null));
        }
        Ok(answer.into_body().into_with_config().limit(u64::MAX).reader())
    }

    fn exchange(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<ureq::http::Response<Body>, CliError> {
        let url = format!("{}{path}", self.base);
        let bearer = self.token.as_ref().map(|t| format!("Bearer {t}"));
        let with_body = match method {
            Method::Post => Some(self.agent.post(&url)),
            Method::Put => Some(self.agent.put(&url)),
            Method::Get | Method::Delete => None,
        };
        let sent = match with_body {
            Some(mut request) => {
                if let Some(bearer) = &bearer {
                    request = request.header("authorization", bearer);
                }
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                match body {
                    Some(body) => request.send_json(body),
                    None => request.send_empty(),
                }
            }
            None => {
                let mut request =
                    if method == Method::Get { self.agent.get(&url) } else { self.agent.delete(&url) };
                if let Some(bearer) = &bearer {
                    request = request.header("authorization", bearer);
                }
                request.query_pairs(query.iter().map(|(k, v)| (*k, v.as_str()))).call()
            }
        };
        sent.map_err(|e| self.unreachable(&e.to_string()))
    }

    fn unreachable(&self, cause: &str) -> CliError {
        CliError::NoServer { url: self.base.clone(), cause: escape::text(cause) }
    }

    fn problem(&self, status: u16, body: &Value) -> CliError {
        let said = [&body["detail"], &body["title"]].into_iter().find_map(Value::as_str);
        let text = escape::text(said.unwrap_or("the server gives no reason"));
        match status {
            401 => CliError::NotPermitted(format!("{text}. Sign in: lazaret --server {} login", self.base)),
            403 => CliError::NotPermitted(text),
            400 | 422 => CliError::Usage(text),
            _ => CliError::Failed(format!("{text} (status {status})")),
        }
    }
}
