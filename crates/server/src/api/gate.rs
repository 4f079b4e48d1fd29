// SPDX-License-Identifier: Apache-2.0
//! What every request passes before its handler: limits, who asks, whether they may, whether it was
//! asked before.

use super::bound::{self, Bound};
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::state::Api;
use crate::people::caller::{self, Caller};
use crate::people::proxy;
use crate::{numbers, time};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use lazaret_store::Scope;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// Sent with a cookie on everything that writes: another site's page cannot set it.
const CSRF: &str = "x-lazaret-csrf";
/// Every project that the caller may see; the word of HSS.
pub(crate) const ALL_GRANTED: &str = "all_granted_eps";
/// What somebody whose password must be changed may still do.
const WHILE_MUST_CHANGE: [&str; 3] = ["getMe", "changePassword", "logout"];

/// What somebody who needs a second factor and has none may still do.
const WHILE_ENROLLING: [&str; 5] =
    ["getMe", "changePassword", "logout", "enrolSecondFactor", "confirmSecondFactor"];

/// Of one route.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) permission: Permission,
    pub(crate) operation: &'static str,
    pub(crate) idempotent: bool,
    /// Of what stands behind `?`.
    pub(crate) bounds: Arc<[Bound]>,
}

/// The other end of the connection; the listener puts it on every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The client's address, with trusted proxies looked through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) IpAddr);

/// Somebody whom another door of this process has recognised, and whom its limits have let through. Nothing that
/// comes over a network carries it.
#[derive(Debug, Clone)]
pub(crate) struct Known(pub(crate) Arc<Caller>);

/// A request that passed: who asks, from where, and in which projects they have the route's permission.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) caller: Arc<Caller>,
    pub(crate) scope: Scope,
    pub(crate) address: IpAddr,
}

impl Access {
    /// The name for rows and records.
    pub(crate) fn who(&self) -> &str {
        &self.caller.user.name
    }

    /// Whether a project is within what the caller may.
    pub(crate) fn covers(&self, project: &str) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Projects(list) => list.iter().any(|p| p == project),
        }
    }

    /// The part of it that a list is asked for: a project, or with `all_granted_eps` every one, as in HSS.
    pub(crate) fn chosen(&self, project: Option<&str>) -> Result<Scope, Problem> {
        match project {
            None | Some(ALL_GRANTED) => Ok(self.scope.clone()),
            Some(id) if !(1..=64).contains(&id.len()) => Err(Problem::invalid("project: 1 to 64 characters")),
            Some(id) if self.covers(id) => Ok(Scope::Projects(vec![id.to_owned()])),
            Some(id) => Err(Problem::no("project", id)),
        }
    }

    /// Something of a project, as if it were not there for who may not.
    pub(crate) fn check<T>(
        &self,
        found: Result<T, lazaret_store::StoreError>,
        project: impl Fn(&T) -> &str,
        what: &str,
        id: &str,
    ) -> Result<T, Problem> {
        match found {
            Ok(row) if self.covers(project(&row)) => Ok(row),
            Ok(_) | Err(lazaret_store::StoreError::NotFound(_)) => Err(Problem::no(what, id)),
            Err(e) => Err(e.into()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let access = parts.extensions.get::<Self>().cloned();
        access.ok_or_else(|| Problem::new(Kind::NotSignedIn, "sign in first"))
    }
}

/// Puts the client's address on a request: the same one for limits, sign-ins and the audit log.
pub(crate) async fn locate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let c = &api.config.api;
        let client = proxy::client(peer.ip(), request.headers(), &c.trusted_proxies, c.forwarded_header);
        request.extensions_mut().insert(Client(client));
    }
    next.run(request).await
}

/// Address of the client.
pub(crate) fn address(extensions: &axum::http::Extensions) -> IpAddr {
    extensions.get::<Client>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |c| c.0)
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(address(&parts.extensions)))
    }
}

/// The gate of one route.
pub(crate) async fn pass(State((api, rule)): State<(Api, Rule)>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let writing = writes(request.method());
    let response = guarded(&api, &rule, started, request, next).await.into_response();
    numbers::answered(rule.operation, response.status(), started);
    if writing && response.status().is_success() {
        // Orders and desired states leave now instead of at the gateway's next look.
        if let Some(gateway) = &api.standing.gateway {
            gateway.ordered();
        }
    }
    response
}

async fn guarded(
    api: &Api,
    rule: &Rule,
    started: Instant,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let from = address(request.extensions());
    let known = request.extensions_mut().remove::<Known>();
    if known.is_none() {
        api.by_address.take(from, started).map_err(too_many)?;
    }
    if rule.permission == Permission::Public {
        return Ok(next.run(request).await);
    }
    let caller = match known {
        Some(Known(caller)) => caller,
        None => recognised(api, started, request.headers()).await?,
    };
    if caller.by_cookie && writes(request.method()) && !request.headers().contains_key(CSRF) {
        return Err(Problem::new(
            Kind::Forbidden,
            format!("with a cookie, what writes needs the header {CSRF}: 1"),
        ));
    }
    if writes(request.method()) {
        refuse_read_only(api, rule.operation)?;
    }
    if caller.user.must_change && !WHILE_MUST_CHANGE.contains(&rule.operation) {
        return Err(Problem::new(
            Kind::MustChangePassword,
            "the one-time password must be changed first: POST /api/v1/me/password",
        ));
    }
    if caller.enrolling && !WHILE_ENROLLING.contains(&rule.operation) {
        return Err(Problem::new(
            Kind::MustEnrol,
            "a second factor is asked for here: POST /api/v1/me/second-factor, then confirm it",
        ));
    }
    let Some(scope) = rule.permission.scope(&caller.grants) else {
        return Err(Problem::new(
            Kind::Forbidden,
            format!("{} has no role that permits this; an administrator can grant one", caller.user.name),
        ));
    };
    bound::check(&rule.bounds, request.uri())?;
    let access = Access { caller, scope, address: from };
    request.extensions_mut().insert(access.clone());
    let key = if rule.idempotent { idempotency_key(request.headers())? } else { None };
    match key {
        Some(key) => super::idempotency::once(api, &access, key, request, next).await,
        None => Ok(next.run(request).await),
    }
}

/// Who asks, within their limit.
async fn recognised(api: &Api, started: Instant, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
    let Some(caller) = caller::recognise(&api.store, headers, time::now_ms()).await? else {
        return Err(Problem::new(
            Kind::NotSignedIn,
            "the credentials are absent, unknown or have ended: sign in",
        ));
    };
    api.by_credential.take(caller.credential.clone(), started).map_err(too_many)?;
    Ok(Arc::new(caller))
}

/// For who asks too often.
pub(crate) fn too_many(seconds: u64) -> Problem {
    Problem::new(Kind::TooManyRequests, format!("too many requests; again in {seconds} s"))
        .retry_after(seconds)
}

/// Whether a request may go on while the server is read-only.
fn refuse_read_only(api: &Api, operation: &str) -> Result<(), Problem> {
    match api.read_only.why() {
        Some(why) if !["login", "logout", "logoutSso"].contains(&operation) => Err(Problem::new(
            Kind::Unavailable,
            format!("the server is read-only ({why}): look, and change things when it no longer is"),
        )
        .retry_after(30)),
        _ => Ok(()),
    }
}

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if text.is_empty() || text.len() > 128 || !text.chars().all(plain) {
        return Err(Problem::invalid("Idempotency-Key: 1 to 128 letters, digits and _ . : -"));
    }
    Ok(Some(text.to_owned()))
}
