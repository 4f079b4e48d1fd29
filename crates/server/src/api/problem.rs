// SPDX-License-Identifier: Apache-2.0
//! Errors as `application/problem+json` (RFC 9457). What went wrong inside stays in the log.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done. `type` is `about:blank` unless the kind has a name of its own.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `urn:lazaret:problem:KIND`.
    r#type: String,
    /// Of the kind; the same for each of it.
    title: String,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Of this one: the thing, the cause and the way out.
    detail: String,
    #[serde(skip)]
    #[schema(ignore)]
    retry_after: Option<u64>,
}

/// Kinds of problems: the word in `type`, the status, the title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    BadRequest,
    NotSignedIn,
    WrongPassword,
    SecondFactor,
    SignOnRefused,
    MustChangePassword,
    MustEnrol,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Stale,
    TooLarge,
    UnsupportedMediaType,
    Invalid,
    PreconditionRequired,
    TooManyRequests,
    Internal,
    Unavailable,
}

impl Kind {
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", 400, "The request cannot be read"),
            Self::NotSignedIn => ("not-signed-in", 401, "No valid credentials"),
            Self::WrongPassword => ("wrong-password", 401, "Name or password is wrong"),
            Self::SecondFactor => ("second-factor", 401, "A code of the second factor is needed"),
            Self::SignOnRefused => ("sign-on-refused", 401, "The provider's answer lets nobody in"),
            Self::MustEnrol => ("must-enrol-second-factor", 403, "A second factor must be set up first"),
            Self::MustChangePassword => ("must-change-password", 403, "The password must be changed first"),
            Self::Forbidden => ("forbidden", 403, "Not permitted"),
            Self::NotFound => ("not-found", 404, "Not found"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "Method not allowed"),
            Self::Conflict => ("conflict", 409, "Not possible as things stand"),
            Self::Stale => ("stale", 412, "Changed meanwhile"),
            Self::TooLarge => ("too-large", 413, "The request is too large"),
            Self::UnsupportedMediaType => ("unsupported-media-type", 415, "Not JSON"),
            Self::Invalid => ("invalid", 422, "Not valid"),
            Self::PreconditionRequired => ("precondition-required", 428, "If-Match is missing"),
            Self::TooManyRequests => ("too-many-requests", 429, "Too many requests"),
            Self::Internal => ("internal", 500, "The server failed"),
            Self::Unavailable => ("unavailable", 503, "Not available now"),
        }
    }
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (word, status, title) = kind.row();
        Self {
            r#type: format!("urn:lazaret:problem:{word}"),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            retry_after: None,
        }
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// For people and audit rows.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, detail)
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, detail)
    }

    /// No such thing, or none that the caller may see.
    pub(crate) fn no(what: &str, id: &str) -> Self {
        Self::new(
            Kind::NotFound,
            format!("no {what} \"{}\" in the projects that this credential may use so", shown(id)),
        )
    }
}

/// What a caller sent, short and without characters that steer a terminal.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"lazaret\""));
        }
        response
    }
}
