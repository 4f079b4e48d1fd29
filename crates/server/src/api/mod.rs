// SPDX-License-Identifier: Apache-2.0
//! REST for people under /api/v1.

mod access_keys;
pub(crate) mod alarms;
pub(crate) mod approvals;
mod audit;
mod bound;
pub(crate) mod cloud;
pub(crate) mod commands;
mod content;
mod dead_letters;
mod disarmed;
mod document;
pub(crate) mod exports;
pub(crate) mod extract;
pub(crate) mod gate;
pub(crate) mod health;
pub(crate) mod host_groups;
pub(crate) mod hosts;
pub(crate) mod idempotency;
pub(crate) mod install;
pub(crate) mod isolated;
mod keys;
pub(crate) mod me;
pub(crate) mod orders;
pub(crate) mod page;
pub(crate) mod permission;
pub(crate) mod policy_groups;
mod policy_schema;
pub(crate) mod problem;
mod project_rules;
pub(crate) mod projects;
mod quotas;
mod record;
mod recovery;
mod reminders;
mod replay;
pub(crate) mod route;
mod scan_pause;
mod scans;
mod second_factor;
mod sessions;
mod sso;
pub(crate) mod state;
mod stream;
mod strict;
pub(crate) mod switches;
mod target_view;
mod targets;
mod tokens;
mod users;
mod whitelist;
pub(crate) mod words;

use crate::console;
use crate::inside::{Door, Inside};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use problem::{Kind, Problem};
use route::{RouteRow, Routes, get};
use state::Api;

/// Of a request's body.
const BODY_LIMIT: usize = 1 << 20;

/// All routes, with their part of the document and of the authorisation table.
fn routes(api: &Api) -> Routes {
    let mut r = Routes::new(api.clone());
    me::routes(&mut r);
    keys::routes(&mut r);
    access_keys::routes(&mut r);
    sessions::routes(&mut r);
    second_factor::routes(&mut r);
    sso::routes(&mut r);
    users::routes(&mut r);
    projects::routes(&mut r);
    project_rules::routes(&mut r);
    reminders::routes(&mut r);
    hosts::routes(&mut r);
    host_groups::routes(&mut r);
    policy_groups::routes(&mut r);
    quotas::routes(&mut r);
    switches::routes(&mut r);
    disarmed::routes(&mut r);
    recovery::routes(&mut r);
    tokens::routes(&mut r);
    alarms::routes(&mut r);
    isolated::routes(&mut r);
    whitelist::routes(&mut r);
    commands::routes(&mut r);
    content::routes(&mut r);
    scans::routes(&mut r);
    cloud::routes(&mut r);
    approvals::routes(&mut r);
    scan_pause::routes(&mut r);
    audit::routes(&mut r);
    stream::routes(&mut r);
    targets::routes(&mut r);
    dead_letters::routes(&mut r);
    r.add(
        permission::Permission::Public,
        get("/openapi.json", "getOpenApi", "This document").answers_object(),
        openapi,
    );
    r
}

/// The router, the document and the table.
pub(crate) fn build(api: Api, door: Option<Door>) -> (Router, String, Vec<RouteRow>) {
    let mut routes = routes(&api);
    let document = document::write(&routes);
    let table = std::mem::take(&mut routes.table);
    let own = routes.into_router();
    let beside = door.map(|door| {
        let inside = Inside::new(api.clone(), own.clone().with_state(api.clone()));
        door(inside).layer(middleware::map_response(with_headers))
    });
    let router = own
        .route("/healthz", axum::routing::get(health::healthz))
        .route("/readyz", axum::routing::get(health::ready))
        .route("/metrics", axum::routing::get(health::metrics))
        .route("/agent/ca.pem", axum::routing::get(install::certificate))
        .route("/agent/install.sh", axum::routing::get(install::script))
        .route("/install/files/{name}", axum::routing::get(install::file))
        .merge(console::router())
        .fallback(|| async { health::no_path("GET /api/v1/openapi.json lists them") })
        .method_not_allowed_fallback(health::no_method)
        .layer(Extension(Document(document.clone().into())))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(secured))
        .layer(middleware::from_fn(bounded))
        .with_state(api.clone())
        .merge(beside.unwrap_or_default())
        .layer(middleware::from_fn_with_state(api, gate::locate));
    (router, document, table)
}

#[derive(Clone)]
struct Document(std::sync::Arc<str>);

async fn openapi(Extension(Document(text)): Extension<Document>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}

/// A body that says at once that it is too large is not read at all.
async fn bounded(request: Request, next: Next) -> Response {
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|n| n > BODY_LIMIT as u64) {
        return Problem::new(Kind::TooLarge, "the body is over the limit of 1 MiB").into_response();
    }
    next.run(request).await
}

/// Headers that hold for every answer; and no error leaves without being a problem.
pub(crate) async fn secured(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    // What people read in a browser says itself what is wrong.
    let tells = kind.starts_with(b"application/problem+json") || kind.starts_with(b"text/html");
    if (status.is_client_error() || status.is_server_error()) && !tells {
        let kept = response.headers().get(header::ALLOW).cloned();
        response = of_status(status).into_response();
        if let Some(allow) = kept {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    with_headers(response).await
}

/// Those that say what a browser may do with it.
async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn of_status(status: StatusCode) -> Problem {
    let kind = match status.as_u16() {
        404 => Kind::NotFound,
        405 => Kind::MethodNotAllowed,
        413 => Kind::TooLarge,
        415 => Kind::UnsupportedMediaType,
        422 => Kind::Invalid,
        429 => Kind::TooManyRequests,
        500..=599 => Kind::Internal,
        _ => Kind::BadRequest,
    };
    Problem::new(kind, status.canonical_reason().unwrap_or("refused"))
}
