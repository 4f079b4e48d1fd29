// SPDX-License-Identifier: Apache-2.0
//! Bodies, queries and path parts. Whatever axum would refuse in words of its own becomes a problem,
//! and no text with a NUL comes through: no database column could hold it.

use super::problem::{Kind, Problem};
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// For a body to come.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// JSON, in and out.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind =
            request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                format!("the body must come as application/json, not \"{}\"", super::problem::shown(kind)),
            ));
        }
        let read = axum::body::Bytes::from_request(request, state);
        let bytes = tokio::time::timeout(PATIENCE, read)
            .await
            .map_err(|_| Problem::new(Kind::BadRequest, "the body did not come to its end within 30 s"))?
            .map_err(too_large)?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|e| Problem::new(Kind::BadRequest, format!("the body is not JSON: {e}")))?;
        if has_nul(&value) {
            return Err(Problem::invalid("the body has a text with a NUL character, which cannot be kept"));
        }
        super::strict::from_value(value)
            .map(Self)
            .map_err(|e| Problem::invalid(format!("the body is not as described: {e}")))
    }
}

fn too_large(rejection: BytesRejection) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Problem::new(Kind::TooLarge, "the body is over the limit of 1 MiB")
        }
        _ => Problem::new(Kind::BadRequest, "the body broke off"),
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(s) => s.contains('\0'),
        Value::Array(a) => a.iter().any(has_nul),
        Value::Object(o) => o.iter().any(|(k, v)| k.contains('\0') || has_nul(v)),
        _ => false,
    }
}

/// The part behind `?`.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|q| q.contains("%00")) {
            return Err(Problem::invalid("the query has a NUL character"));
        }
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(q)| Self(q))
            .map_err(|e| Problem::invalid(format!("the query is not as described: {}", e.body_text())))
    }
}

/// The parts of the path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let no = || Problem::new(Kind::NotFound, "there is nothing with such a name");
        if parts.uri.path().contains("%00") {
            return Err(no());
        }
        let axum::extract::Path(p) =
            axum::extract::Path::from_request_parts(parts, state).await.map_err(|_| no())?;
        Ok(Self(p))
    }
}

/// The revision that `If-Match` names.
#[derive(Debug)]
pub(crate) struct IfMatch(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(given) = parts.headers.get(header::IF_MATCH) else {
            return Err(Problem::new(
                Kind::PreconditionRequired,
                "send If-Match with the ETag of what you read, so that nobody's change is lost",
            ));
        };
        let text = given.to_str().unwrap_or_default().trim();
        if text.len() > 64 {
            return Err(Problem::invalid("If-Match: at most 64 characters, as the ETag of what was read"));
        }
        let revision = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|t| t.parse().ok());
        // A tag that is none of ours matches nothing.
        Ok(Self(revision.unwrap_or(-1)))
    }
}

/// JSON with an `ETag`.
#[derive(Debug)]
pub(crate) struct Tagged<T>(pub(crate) i64, pub(crate) T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, format!("\"{}\"", self.0))], axum::Json(self.1)).into_response()
    }
}

/// 201 with JSON and, where it has one, an `ETag`.
#[derive(Debug)]
pub(crate) struct Created<T>(pub(crate) T);

impl<T: IntoResponse> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (axum::http::StatusCode::CREATED, self.0).into_response()
    }
}

/// 202: orders are on their way.
#[derive(Debug)]
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: IntoResponse> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        (axum::http::StatusCode::ACCEPTED, self.0).into_response()
    }
}

/// 204.
#[derive(Debug)]
pub(crate) struct Empty;

impl IntoResponse for Empty {
    fn into_response(self) -> Response {
        axum::http::StatusCode::NO_CONTENT.into_response()
    }
}
