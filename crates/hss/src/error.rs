// SPDX-License-Identifier: Apache-2.0
//! Errors in the shape that the SDK reads: `error_code`, `error_msg`, and a request id in body and header.

use crate::words;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lazaret_server::inside::InsideError;
use serde_json::{Value, json};

/// Header and field that names one request, for who reads logs.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// Why something is refused.
#[derive(Debug)]
pub(crate) struct HssError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u64>,
}

impl HssError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    /// 400: not as described.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "HSS.0002", message)
    }

    /// 401: nobody known.
    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "APIGW.0301", message)
    }

    /// 403: known, and not permitted.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "HSS.0003", message)
    }

    /// 404: nothing such that the caller may see.
    pub(crate) fn missing(what: &str, id: &str) -> Self {
        let id = words::quoted(id, 80);
        Self::new(
            StatusCode::NOT_FOUND,
            "HSS.0004",
            format!("no {what} \"{id}\" in the projects of this credential"),
        )
    }

    /// 404: no operation at all.
    pub(crate) fn no_operation() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "APIGW.0101",
            "no operation of HSS has this path; docs/hss-api.md lists them all",
        )
    }

    /// 405: the path has other methods.
    pub(crate) fn no_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "APIGW.0106", "this path has no such method")
    }

    /// 501: an operation of HSS that is none of this product.
    pub(crate) fn unsupported(operation: &str, why: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "HSS.0501", format!("{operation}: {why}"))
    }

    /// 413.
    pub(crate) fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "HSS.0006", "the body is over the limit of 1 MiB")
    }

    /// 409: the same request runs.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "HSS.0005", message)
    }

    /// 500: the server's fault.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "HSS.0001", message)
    }

    /// Of a problem of `/api/v1`, with its own words.
    pub(crate) fn of_problem(status: StatusCode, body: &Value) -> Self {
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or("refused").to_owned();
        let mut error = match status.as_u16() {
            401 => Self::unauthorized(detail),
            403 => Self::forbidden(detail),
            404 => Self::new(StatusCode::NOT_FOUND, "HSS.0004", detail),
            409 => Self::conflict(detail),
            // Changed between our reading and our writing: the caller may do it again.
            412 | 428 => Self::conflict(detail),
            413 => Self::too_large(),
            429 => Self::new(StatusCode::TOO_MANY_REQUESTS, "APIGW.0308", detail),
            503 => Self::new(StatusCode::SERVICE_UNAVAILABLE, "HSS.0007", detail),
            400 | 415 | 422 => Self::invalid(detail),
            _ => Self::internal(detail),
        };
        error.retry_after = body.get("retry_after").and_then(Value::as_u64);
        error
    }

    /// With more said: what was done before, and what was not.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.message.push_str(more);
        self
    }

    /// Whether it is so because there is nothing such.
    pub(crate) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// With what was done before it came to this.
    pub(crate) fn after(mut self, done: &str) -> Self {
        self.message = format!("{}; done before that: {done}", self.message);
        self
    }

    /// Whether the caller may not.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
    }

    /// For lists of results that tell of each thing.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// As it goes over the wire.
    pub(crate) fn body(&self, request: &str) -> Vec<u8> {
        json!({ "error_code": self.code, "error_msg": self.message, "request_id": request })
            .to_string()
            .into_bytes()
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// With the request's name.
    pub(crate) fn answer(&self, request: &str) -> Response {
        let mut response = (self.status, Body::from(self.body(request))).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<InsideError> for HssError {
    fn from(e: InsideError) -> Self {
        match e {
            InsideError::TooMany(seconds) => {
                let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "APIGW.0308", e.to_string());
                error.retry_after = Some(seconds);
                error
            }
            InsideError::Failed(why) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "HSS.0007", why),
        }
    }
}
