// SPDX-License-Identifier: Apache-2.0
//! For machines that watch the server: alive, ready, in numbers. On people's port, and on a port of its
//! own (`[metrics] listen`) that a process of any role can have.

use super::gate::{Client, Peer};
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::state::Api;
use crate::gateway::Handle;
use crate::people::{caller, proxy};
use crate::read_only::ReadOnly;
use crate::time;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router, middleware};
use lazaret_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::net::IpAddr;

/// What tells how the process stands, whatever its role.
#[derive(Clone)]
pub(crate) struct Standing {
    pub(crate) store: Store,
    /// Where agents connect to this process.
    pub(crate) gateway: Option<Handle>,
    pub(crate) metrics: PrometheusHandle,
    /// Read the numbers without credentials, beside loopback.
    pub(crate) from: Vec<IpAddr>,
    pub(crate) read_only: ReadOnly,
}

/// How the server stands.
#[derive(Serialize)]
pub(crate) struct Health {
    status: &'static str,
    /// Why nothing can be changed now.
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only: Option<String>,
}

/// The process answers.
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", read_only: None })
}

impl Standing {
    /// The database answers and is of this program's version, and agents are let in where they connect here.
    async fn ready(&self) -> Result<Json<Health>, Problem> {
        self.store.ping().await.map_err(|e| {
            crate::log::line(&format!("readyz: {e}"));
            Problem::new(Kind::Unavailable, "the database does not answer").retry_after(2)
        })?;
        if self.store.schema().await? == 0 {
            return Err(Problem::new(Kind::Unavailable, "the database is empty: run lazaret-server migrate"));
        }
        if self.gateway.as_ref().is_some_and(|g| !g.ready()) {
            return Err(Problem::new(Kind::Unavailable, "the gateway takes no agents now").retry_after(2));
        }
        Ok(Json(Health { status: "ready", read_only: self.read_only.why() }))
    }

    /// Whether the numbers are for this address. A proxy that nobody named is not near: it may hand on
    /// whom it likes.
    fn is_near(&self, from: IpAddr, headers: &HeaderMap, proxies: bool) -> bool {
        let direct = proxies || !proxy::forwarded(headers);
        let from = from.to_canonical();
        direct && (from.is_loopback() || self.from.contains(&from))
    }

    /// Prometheus text.
    fn numbers(&self) -> Response {
        let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
        (kind, self.metrics.render()).into_response()
    }
}

/// For people's port.
pub(crate) async fn ready(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    api.standing.ready().await
}

/// Prometheus text; from loopback and the addresses that the configuration names, else with the right to
/// see every project's audit log.
pub(crate) async fn metrics(
    State(api): State<Api>,
    Client(from): Client,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !api.standing.is_near(from, &headers, !api.config.api.trusted_proxies.is_empty()) {
        let caller = caller::recognise(&api.store, &headers, time::now_ms()).await?;
        let Some(caller) = caller else {
            return Err(Problem::new(Kind::NotSignedIn, "from here, metrics need credentials"));
        };
        if Permission::AuditAll.scope(&caller.grants).is_none() || caller.user.must_change {
            return Err(Problem::new(Kind::Forbidden, "metrics are of every project"));
        }
    }
    Ok(api.standing.numbers())
}

pub(crate) fn no_path(where_else: &str) -> Problem {
    crate::numbers::unrouted("not_found");
    Problem::new(Kind::NotFound, format!("there is no such path; {where_else}"))
}

pub(crate) async fn no_method() -> Problem {
    crate::numbers::unrouted("method_not_allowed");
    Problem::new(Kind::MethodNotAllowed, "this path takes other methods; the header Allow names them")
}

/// The port of its own: nothing but this, nobody signs in here.
pub(crate) fn router(standing: Standing) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(async |State(s): State<Standing>| s.ready().await))
        .route("/metrics", get(near_numbers))
        .fallback(async || no_path("here are /healthz, /readyz and /metrics"))
        .method_not_allowed_fallback(no_method)
        .layer(middleware::from_fn(super::secured))
        .with_state(standing)
}

async fn near_numbers(
    State(standing): State<Standing>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if standing.is_near(peer.ip(), &headers, false) {
        return Ok(standing.numbers());
    }
    Err(Problem::new(
        Kind::Forbidden,
        "metrics are for loopback and the addresses in [api] metrics_from, without a proxy between",
    ))
}
