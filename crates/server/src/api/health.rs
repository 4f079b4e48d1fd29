// SPDX-License-Identifier: Apache-2.0
//! For machines that watch the server: alive, ready, in numbers.

use super::gate::Peer;
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::state::Api;
use crate::people::caller;
use crate::time;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;

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

/// The database answers, and is of this program's version.
pub(crate) async fn readyz(State(api): State<Api>) -> Result<Json<Health>, Problem> {
    api.store.ping().await.map_err(|e| {
        crate::log::line(&format!("readyz: {e}"));
        Problem::new(Kind::Unavailable, "the database does not answer").retry_after(2)
    })?;
    if api.store.schema().await? == 0 {
        return Err(Problem::new(Kind::Unavailable, "the database is empty: run lazaret-server migrate"));
    }
    Ok(Json(Health { status: "ready", read_only: api.read_only.why() }))
}

/// Prometheus text; from loopback and the addresses that the configuration names, else with the right to
/// see every project's audit log.
pub(crate) async fn metrics(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let from = peer.map(|p| p.0.0.ip().to_canonical());
    let near = from.is_some_and(|ip| ip.is_loopback() || api.config.api.metrics_from.contains(&ip));
    if !near {
        let caller = caller::recognise(&api.store, &headers, time::now_ms()).await?;
        let Some(caller) = caller else {
            return Err(Problem::new(Kind::NotSignedIn, "from here, metrics need credentials"));
        };
        if Permission::AuditAll.scope(&caller.grants).is_none() || caller.user.must_change {
            return Err(Problem::new(Kind::Forbidden, "metrics are of every project"));
        }
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, api.metrics.render()).into_response())
}
