// SPDX-License-Identifier: Apache-2.0
//! What every request passes: who asks, whether the project is theirs, whether the same was asked before.

use crate::ask::Ask;
use crate::call::{Answer, Call, Reply, without_nulls};
use crate::error::{HssError, REQUEST_ID};
use crate::rest::Rest;
use crate::sdk::{Found, Operation, sdk};
use crate::sign::{Signature, hex};
use crate::{iam, run};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use futures_util::StreamExt as _;
use lazaret_server::inside::{Before, Inside, Person};
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use std::time::Duration;

/// Of a body.
const LIMIT: usize = 1 << 20;
/// A body over the limit is thrown away as it comes, up to there; beyond it the connection ends.
const HEARD_OUT: u64 = 16 << 20;
/// For a body to come.
const PATIENCE: Duration = Duration::from_secs(30);
const TOKEN: &str = "x-auth-token";

/// The routes of HSS and of IAM's tokens.
pub fn routes(inside: Inside) -> Router {
    Router::new()
        .route("/v5/{*path}", any(operate))
        .route("/v3/auth/tokens", any(iam::tokens))
        .with_state(inside)
}

/// A request with its body, and what it is called in logs.
pub(crate) struct Came {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) from: IpAddr,
}

impl Came {
    /// Limits first, then the body, which must come in time and be small.
    pub(crate) async fn read(inside: &Inside, request: Request) -> Result<Self, HssError> {
        let from = inside.address(request.extensions());
        inside.knock(from)?;
        let (parts, body) = request.into_parts();
        let length =
            parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if let Some(length) = length.filter(|n| *n > LIMIT as u64) {
            if length <= HEARD_OUT {
                // Who is cut off in the middle of a sentence does not hear the answer.
                let heard = body.into_data_stream().for_each(|_| std::future::ready(()));
                let _ = tokio::time::timeout(PATIENCE, heard).await;
            }
            return Err(HssError::too_large());
        }
        let body = tokio::time::timeout(PATIENCE, to_bytes(body, LIMIT))
            .await
            .map_err(|_| HssError::invalid("the body did not come to its end within 30 s"))?
            .map_err(|_| HssError::too_large())?;
        Ok(Self { parts, body, from })
    }
}

/// A new name for a request.
pub(crate) fn new_request_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// The answer with the request's name on it.
pub(crate) fn named(mut response: Response, request: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(request) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn operate(State(inside): State<Inside>, request: Request) -> Response {
    let id = new_request_id();
    let mut name = "none";
    let response = answer(&inside, request, &id, &mut name).await.unwrap_or_else(|e| e.answer(&id));
    let status = response.status().as_u16().to_string();
    metrics::counter!("lazaret_hss_requests_total", "operation" => name, "status" => status).increment(1);
    named(response, &id)
}

/// `name` becomes that of the operation, for the counters.
async fn answer(
    inside: &Inside,
    request: Request,
    id: &str,
    name: &mut &'static str,
) -> Result<Response, HssError> {
    let came = Came::read(inside, request).await?;
    let path = came.parts.uri.path().to_owned();
    let (operation, named) = match sdk().find(came.parts.method.as_str(), &path) {
        Found::Operation(operation, named) => (operation, named),
        Found::OtherMethod => return Err(HssError::no_method()),
        Found::Nothing => return Err(HssError::no_operation()),
    };
    // Of the hundreds that are none of this product there is one counter.
    if operation.answer.is_some() {
        *name = &operation.name;
    }
    let (person, signature) = recognise(inside, &came).await?;
    inside.take(&person)?;
    if let Some(project) = named.get("project_id") {
        check_project(inside, &person, project).await?;
    }
    if operation.answer.is_none() {
        return Err(HssError::unsupported(
            &operation.name,
            "is not part of this product; docs/hss-api.md says what is",
        ));
    }
    let query = came.parts.uri.query().unwrap_or_default();
    let ask = Ask::read(operation, named, query, &came.body)?;
    let call = Call::new(ask, Rest::new(inside.clone(), person.clone(), came.from));
    for project in call.named_projects() {
        check_project(inside, &person, project).await?;
    }
    let response = match signature {
        _ if came.parts.method == Method::GET => shown(run::run(operation, &call).await, id),
        Some(signature) => {
            let named = Named::of(&came, &signature);
            let (inside, id) = (inside.clone(), id.to_owned());
            undisturbed(async move { once(&inside, &person, &named, &id, operation, call).await }).await?
        }
        None => shown(undisturbed(async move { run::run(operation, &call).await }).await, id),
    };
    Ok(response)
}

/// Goes on to its end when the client goes away: a write that stops in the middle would be half done, and its name would
/// stay taken. What panics has failed.
async fn undisturbed<T: Send + 'static>(
    work: impl Future<Output = Result<T, HssError>> + Send + 'static,
) -> Result<T, HssError> {
    let failed = || HssError::internal("the server failed; its log says why");
    tokio::spawn(work).await.unwrap_or_else(|_| Err(failed()))
}

/// What a signed write goes by, and a digest of all of it.
struct Named {
    key: String,
    request: String,
}

impl Named {
    fn of(came: &Came, signature: &str) -> Self {
        let mut request = Sha256::new();
        for part in [came.parts.method.as_str().as_bytes(), came.parts.uri.to_string().as_bytes(), &came.body]
        {
            request.update((part.len() as u64).to_be_bytes());
            request.update(part);
        }
        Self { key: format!("hss.{signature}"), request: hex(&request.finalize()) }
    }
}

/// Who asks; with the signature's value, where they have signed.
async fn recognise(inside: &Inside, came: &Came) -> Result<(Person, Option<String>), HssError> {
    if let Some(token) = came.parts.headers.get(TOKEN) {
        let token = token.to_str().unwrap_or_default();
        let person = inside.bearer(token).await?;
        let person = person.ok_or_else(|| {
            HssError::unauthorized(
                "the X-Auth-Token is unknown or has ended: POST /v3/auth/tokens gives a new one",
            )
        })?;
        return Ok((person, None));
    }
    let signature = Signature::of(&came.parts.headers)?.ok_or_else(|| {
        HssError::unauthorized("the request has neither a signature (SDK-HMAC-SHA256) nor an X-Auth-Token")
    })?;
    signature.check_date(inside.now_ms())?;
    // One answer for a key that nobody has and for a wrong signature.
    let wrong =
        || HssError::unauthorized("the access key is unknown or has ended, or the signature is wrong");
    let signer = inside.signer(signature.access).await?.ok_or_else(wrong)?;
    if !signature.is_of(&signer.secret, &came.parts, &came.body) {
        return Err(wrong());
    }
    let value = signature.name().to_owned();
    inside.used(&signer).await?;
    Ok((signer.person, Some(value)))
}

/// A project that is there, and where the caller has rights. Both refusals are one.
pub(crate) async fn check_project(inside: &Inside, person: &Person, project: &str) -> Result<(), HssError> {
    let plain = (1..=64).contains(&project.len()) && !project.contains('\0');
    if plain && person.is_in(project) && inside.has_project(project).await? {
        return Ok(());
    }
    Err(HssError::forbidden("the project is none in which this credential has rights"))
}

/// The SDK signs by the second and without a nonce: the same signature is the same request, sent again.
async fn once(
    inside: &Inside,
    person: &Person,
    named: &Named,
    id: &str,
    operation: &'static Operation,
    call: Call,
) -> Result<Response, HssError> {
    match inside.begin(person, &named.key, named.request.as_bytes()).await? {
        Before::Nothing => {}
        Before::Running => {
            return Err(HssError::conflict(
                "the same signed request has begun and not ended: look, then sign anew",
            ));
        }
        Before::Answer(status, body) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let mut response = json(status, body);
            response.headers_mut().insert("x-lazaret-replayed", HeaderValue::from_static("true"));
            return Ok(response);
        }
    }
    // By itself: where it panics, that it failed is still written down.
    let answer = undisturbed(async move { run::run(operation, &call).await }).await;
    let (status, body) = match &answer {
        Ok(Reply::Json(value)) => (200, without_nulls(value.clone()).to_string().into_bytes()),
        // Files are not kept: who asks again gets the file again.
        Ok(Reply::File { .. }) => (0, Vec::new()),
        Err(e) => (e.status().as_u16(), e.body(id)),
    };
    // What was done is told in any case; the log says why it is not kept.
    let _ = inside.answered(person, &named.key, status, &body).await;
    Ok(shown(answer, id))
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = (status, Body::from(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn shown(answer: Answer, id: &str) -> Response {
    match answer {
        Ok(Reply::Json(value)) => json(StatusCode::OK, without_nulls(value).to_string().into_bytes()),
        Ok(Reply::File { name, media, length, body }) => {
            let mut response = body.into_response();
            let headers = response.headers_mut();
            headers.extend(length.map(|n| (header::CONTENT_LENGTH, n)));
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let name: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
            if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
            let media = HeaderValue::from_str(&media);
            headers.insert(
                header::CONTENT_TYPE,
                media.unwrap_or(HeaderValue::from_static("application/octet-stream")),
            );
            response
        }
        Err(e) => e.answer(id),
    }
}
