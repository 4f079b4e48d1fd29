// SPDX-License-Identifier: Apache-2.0
//! `/api/v1`, asked in the same process as the person whose request it is.

use crate::error::HssError;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use lazaret_server::inside::{Inside, Person};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::net::IpAddr;

/// Of an answer; files are passed on and never held.
const LIMIT: usize = 64 << 20;

/// What stands behind `?`.
pub(crate) type Query = Vec<(&'static str, String)>;

/// The API as one person.
#[derive(Debug, Clone)]
pub(crate) struct Rest {
    inside: Inside,
    person: Person,
    from: IpAddr,
}

/// A part of a path.
pub(crate) fn part(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A path with what stands behind `?`.
pub(crate) fn with(path: &str, query: &[(&'static str, String)]) -> String {
    let mut out = path.to_owned();
    for (i, (name, value)) in query.iter().enumerate() {
        out.push(if i == 0 { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        out.push_str(&part(value));
    }
    out
}

async fn whole(body: Body) -> Result<Bytes, HssError> {
    let read = to_bytes(body, LIMIT).await;
    read.map_err(|e| HssError::internal(format!("an answer of the API broke off: {e}")))
}

impl Rest {
    pub(crate) fn new(inside: Inside, person: Person, from: IpAddr) -> Self {
        Self { inside, person, from }
    }

    pub(crate) fn inside(&self) -> &Inside {
        &self.inside
    }

    pub(crate) fn person(&self) -> &Person {
        &self.person
    }

    /// `path` is below `/api/v1`; parts that somebody sent go through [`part`].
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        tag: Option<&str>,
    ) -> Result<(HeaderMap, Bytes), HssError> {
        let (headers, body) = self.begin(method, path, body, tag).await?;
        Ok((headers, whole(body).await?))
    }

    /// The same; what answers with success has not been read.
    async fn begin(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        tag: Option<&str>,
    ) -> Result<(HeaderMap, Body), HssError> {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        let body = body.map_or_else(Body::empty, |b| Body::from(b.to_string()));
        let request = request.body(body).map_err(|e| HssError::invalid(format!("the request: {e}")))?;
        let response = self.inside.ask(Some(&self.person), self.from, request).await;
        let (parts, body) = response.into_parts();
        if parts.status.is_success() {
            return Ok((parts.headers, body));
        }
        let problem: Value = serde_json::from_slice(&whole(body).await?).unwrap_or_default();
        let status =
            if parts.status.is_redirection() { StatusCode::INTERNAL_SERVER_ERROR } else { parts.status };
        Err(HssError::of_problem(status, &problem))
    }

    fn json(bytes: &[u8]) -> Result<Value, HssError> {
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(bytes).map_err(|e| HssError::internal(format!("an answer of the API: {e}")))
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str, query: &[(&'static str, String)]) -> Result<Value, HssError> {
        let (_, bytes) = self.ask(Method::GET, &with(path, query), None, None).await?;
        Self::json(&bytes)
    }

    /// GET of a list that comes whole.
    pub(crate) async fn items(&self, path: &str) -> Result<Vec<Value>, HssError> {
        let mut all = self.get(path, &[]).await?;
        Ok(match all.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        })
    }

    /// GET of something that is to be changed: with its tag, for [`Self::put`].
    pub(crate) async fn tagged(&self, path: &str) -> Result<(Value, String), HssError> {
        let (headers, bytes) = self.ask(Method::GET, path, None, None).await?;
        let tag = headers.get(header::ETAG).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Ok((Self::json(&bytes)?, tag.to_owned()))
    }

    /// POST of what answers with a file, as it comes: many large ones at once are in no memory.
    pub(crate) async fn post_for_file(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<(HeaderMap, Body), HssError> {
        self.begin(Method::POST, path, Some(body), None).await
    }

    /// POST.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, HssError> {
        let (_, bytes) = self.ask(Method::POST, path, Some(body), None).await?;
        Self::json(&bytes)
    }

    /// POST without a body.
    pub(crate) async fn post_nothing(&self, path: &str) -> Result<Value, HssError> {
        let (_, bytes) = self.ask(Method::POST, path, None, None).await?;
        Self::json(&bytes)
    }

    /// PUT; with the tag of what was read, or an empty one where there is none.
    pub(crate) async fn put(&self, path: &str, body: &Value, tag: &str) -> Result<Value, HssError> {
        let tag = Some(tag).filter(|t| !t.is_empty());
        let (_, bytes) = self.ask(Method::PUT, path, Some(body), tag).await?;
        Self::json(&bytes)
    }

    /// GET and PUT of what `change` makes of it; once more when somebody else was faster.
    pub(crate) async fn change(
        &self,
        path: &str,
        change: impl Fn(&Value) -> Result<Value, HssError> + Send,
    ) -> Result<Value, HssError> {
        let mut again = true;
        loop {
            let (before, tag) = self.tagged(path).await?;
            let body = change(&before)?;
            match self.put(path, &body, &tag).await {
                Err(e) if again && e.status() == StatusCode::CONFLICT => again = false,
                done => return done,
            }
        }
    }

    /// DELETE; with the tag of what was read, or an empty one where there is none.
    pub(crate) async fn delete(&self, path: &str, tag: &str) -> Result<Value, HssError> {
        let tag = Some(tag).filter(|t| !t.is_empty());
        let (_, bytes) = self.ask(Method::DELETE, path, None, tag).await?;
        Self::json(&bytes)
    }
}
