// SPDX-License-Identifier: Apache-2.0
//! The same order twice is one order: a request with a key that was answered gets that answer.

use super::extract::PATIENCE;
use super::gate::Access;
use super::problem::{Kind, Problem};
use super::state::Api;
use crate::time;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use lazaret_store::{AnswerRow, StoreError};
use sha2::{Digest as _, Sha256};

/// Of a request; the same as for all.
const LIMIT: usize = 1 << 20;
/// Of an answer. None of ours comes near.
const ANSWER_LIMIT: usize = 4 << 20;
/// Kept as the status of an answer that failed for our reasons: the next try counts as the first.
pub(crate) const FAILED: i64 = -1;

pub(crate) async fn once(
    api: &Api,
    access: &Access,
    key: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(PATIENCE, to_bytes(body, LIMIT))
        .await
        .map_err(|_| Problem::new(Kind::BadRequest, "the body did not come to its end within 30 s"))?
        .map_err(|_| Problem::new(Kind::TooLarge, "the body is over the limit of 1 MiB"))?;
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str().as_bytes());
    hash.update([0]);
    hash.update(parts.uri.to_string().as_bytes());
    hash.update([0]);
    hash.update(&body);
    // A key with fewer rights than its user does not get the answer to what the user asked.
    for (project, role) in &access.caller.grants {
        hash.update([0]);
        hash.update(project.as_bytes());
        hash.update([0]);
        hash.update(role.as_bytes());
    }
    let user = access.caller.user.id.clone();
    let row = AnswerRow {
        user: user.clone(),
        key: key.clone(),
        request: hash.finalize().to_vec(),
        status: 0,
        body: Vec::new(),
        at_ms: time::now_ms(),
    };
    match api.store.begin_answer(&row).await {
        Ok(None) => {}
        Ok(Some(before)) if before.status == FAILED => {}
        Ok(Some(before)) if before.status == 0 => {
            return Err(Problem::conflict(
                "a request with this Idempotency-Key has begun and not ended; look at the commands before another key is taken",
            ));
        }
        Ok(Some(before)) => return again(before),
        Err(StoreError::Conflict(_)) => {
            return Err(Problem::conflict(
                "this Idempotency-Key was used for another request; take a new one",
            ));
        }
        Err(e) => return Err(e.into()),
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, ANSWER_LIMIT).await.unwrap_or_else(|_| Bytes::new());
    let status = if parts.status.is_server_error() { FAILED } else { i64::from(parts.status.as_u16()) };
    api.store.finish_answer(&user, &key, status, &bytes).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn again(before: AnswerRow) -> Result<Response, Problem> {
    let status = u16::try_from(before.status).ok().and_then(|s| StatusCode::from_u16(s).ok());
    let Some(status) = status else {
        return Err(Problem::new(Kind::Internal, "the answer that was kept cannot be read"));
    };
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    let mut response = Response::new(Body::from(before.body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
