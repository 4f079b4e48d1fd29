// SPDX-License-Identifier: Apache-2.0
//! Signing in and out at a provider, as a browser does it.

use super::extract::{Json, Path, Query};
use super::gate::{Access, Client};
use super::me::{no_cookie, session_cookie};
use super::permission::Permission;
use super::problem::{Kind, Problem};
use super::record::Record;
use super::route::{Routes, get, post};
use super::state::Api;
use crate::log;
use crate::people::oidc::{self, Back, OidcError, PATIENCE_MS, Provider};
use crate::people::sign_in::{self, SESSION};
use crate::time;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lazaret_store::NewAudit;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Instant;
use utoipa::{IntoParams, ToSchema};

/// What the browser keeps while it is at the provider. It comes back by a link of another site: Lax.
const COOKIE: &str = "__Host-lazaret-sso";

/// A provider.
#[derive(Serialize, ToSchema)]
struct ProviderView {
    name: String,
    title: String,
    /// Where a browser begins.
    start: String,
}

/// All of them.
#[derive(Serialize, ToSchema)]
struct ProvidersView {
    items: Vec<ProviderView>,
    /// POST /login takes passwords.
    passwords: bool,
}

/// Where the browser goes afterwards.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct StartQuery {
    /// A path of this server; `/` unless said otherwise.
    #[param(max_length = 512)]
    return_to: Option<String>,
}

/// What the provider gives back; it may add more.
#[derive(Deserialize, IntoParams)]
struct BackQuery {
    #[param(max_length = 128)]
    state: Option<String>,
    #[param(max_length = 4096)]
    code: Option<String>,
    #[param(max_length = 256)]
    error: Option<String>,
    #[param(max_length = 512)]
    iss: Option<String>,
}

/// Where the browser goes to sign out at the provider too.
#[derive(Serialize, ToSchema)]
struct SignedOut {
    /// Absent: the provider has no such place, or the sign-in came from none.
    url: Option<String>,
}

pub(crate) fn routes(r: &mut Routes) {
    let public = Permission::Public;
    r.add(
        public,
        get("/sso/providers", "listProviders", "Where people can sign in").answers::<ProvidersView>(200),
        list,
    );
    r.add(
        public,
        get("/sso/{name}/start", "startSso", "Sign in at a provider")
            .describe("For a browser: it is sent to the provider, and comes back with /sso/{name}/callback.")
            .query::<StartQuery>()
            .redirects(),
        start,
    );
    r.add(
        public,
        get("/sso/{name}/callback", "finishSso", "Come back from a provider")
            .query::<BackQuery>()
            .redirects()
            .problem(401),
        finish,
    );
    r.add(
        Permission::SignedIn,
        post("/sso/logout", "logoutSso", "End this sign-in, here and at the provider")
            .answers::<SignedOut>(200),
        logout,
    );
}

fn find<'a>(api: &'a Api, name: &str) -> Result<&'a Provider, Problem> {
    api.providers.find(name).ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("no provider \"{}\" is configured", super::problem::shown(name)))
    })
}

fn callback(api: &Api, provider: &Provider) -> String {
    format!("{}/api/v1/sso/{}/callback", api.config.public_api(), provider.settings.name)
}

fn take(api: &Api, address: IpAddr) -> Result<(), Problem> {
    api.sign_ins.take(address, Instant::now()).map_err(|s| {
        Problem::new(Kind::TooManyRequests, format!("too many sign-ins; again in {s} s")).retry_after(s)
    })
}

/// A path of this server, and nothing that a browser would take for another one.
fn own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 512
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

fn trouble(e: OidcError) -> Problem {
    match e {
        OidcError::Refused(why) => Problem::new(Kind::SignOnRefused, why),
        OidcError::NotLetIn(refusal) => Problem::new(Kind::SignOnRefused, refusal.to_string()),
        OidcError::Provider(why) => {
            log::line(&format!("sign-on: {why}"));
            Problem::new(Kind::Unavailable, "the provider does not answer as it should; try again, or ask an administrator to read the server's log").retry_after(10)
        }
        OidcError::People(e) => e.into(),
    }
}

fn see_other(to: &str, cookies: &[String]) -> Result<Response, Problem> {
    let place = HeaderValue::from_str(to)
        .map_err(|_| Problem::new(Kind::Internal, "an address that no header can hold"))?;
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, place);
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    Ok(response)
}

async fn list(State(api): State<Api>) -> Json<ProvidersView> {
    let view = |p: &Provider| ProviderView {
        name: p.settings.name.clone(),
        title: if p.settings.title.is_empty() { p.settings.name.clone() } else { p.settings.title.clone() },
        start: format!("/api/v1/sso/{}/start", p.settings.name),
    };
    Json(ProvidersView {
        items: api.providers.all().iter().map(view).collect(),
        passwords: api.config.sign_on.passwords,
    })
}

async fn start(
    State(api): State<Api>,
    Client(address): Client,
    Path(name): Path<String>,
    Query(q): Query<StartQuery>,
) -> Result<Response, Problem> {
    take(&api, address)?;
    let provider = find(&api, &name)?;
    let back = q.return_to.unwrap_or_else(|| "/".to_owned());
    if !own_path(&back) {
        return Err(Problem::invalid("return_to: must be a path of this server"));
    }
    let redirect = callback(&api, provider);
    let begun = oidc::start(&api.store, provider, &redirect, &back, time::now_ms()).await.map_err(trouble)?;
    let age = PATIENCE_MS / 1000;
    let cookie = format!("{COOKIE}={}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Lax", begun.browser);
    see_other(&begun.url, &[cookie])
}

/// The value of our cookie.
fn browser(headers: &HeaderMap) -> String {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|c| c.trim().split_once('=').filter(|(n, _)| *n == COOKIE).map(|(_, v)| v.to_owned()))
        .unwrap_or_default()
}

async fn finish(
    State(api): State<Api>,
    Client(address): Client,
    headers: HeaderMap,
    Path(name): Path<String>,
    Query(q): Query<BackQuery>,
) -> Result<Response, Problem> {
    take(&api, address)?;
    let provider = find(&api, &name)?;
    let now_ms = time::now_ms();
    let from = address.to_string();
    let audit = |action: &str, who: &str, target: String, outcome: &str| NewAudit {
        at_ms: now_ms,
        who: who.to_owned(),
        address: from.clone(),
        action: action.to_owned(),
        target,
        outcome: outcome.to_owned(),
        ..NewAudit::default()
    };
    let browser = browser(&headers);
    let back = Back {
        state: q.state.as_deref().unwrap_or_default(),
        code: q.code.as_deref(),
        error: q.error.as_deref(),
        issuer: q.iss.as_deref(),
        browser: &browser,
    };
    let redirect = callback(&api, provider);
    let vouched = match oidc::finish(&api.store, provider, &redirect, &back, now_ms).await {
        Ok(vouched) => vouched,
        Err(e) => {
            metrics::counter!("lazaret_api_sign_ins_refused_total").increment(1);
            let (who, target) = match &e {
                OidcError::NotLetIn(refusal) => match &refusal.user {
                    Some(user) => (user.name.clone(), format!("user {}", user.id)),
                    None => (name.clone(), format!("provider {name}")),
                },
                _ => (name.clone(), format!("provider {name}")),
            };
            let why = e.to_string();
            api.store.append_audit(&audit("session.begin", &who, target, &why)).await?;
            return Err(trouble(e));
        }
    };
    if vouched.new {
        let target = format!("user {}", vouched.user.id);
        let row = audit("user.create", &vouched.user.name, target, &format!("by provider {name}"));
        api.store.append_audit(&row).await?;
    }
    let session_ms = i64::from(api.config.api.session_hours) * 3_600_000;
    let note = format!("provider {name}, from {from}");
    let begun = sign_in::begin(&api.store, vouched.user, SESSION, note, session_ms, now_ms).await?;
    api.store.note_provider_session(&begun.credential, &name, &vouched.id_token).await?;
    let target = format!("user {}", begun.user.id);
    let how = format!("done by provider {name}");
    api.store.append_audit(&audit("session.begin", &begun.user.name, target, &how)).await?;
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax");
    see_other(&vouched.back, &[session_cookie(&begun, now_ms), gone])
}

async fn logout(State(api): State<Api>, access: Access) -> Result<Response, Problem> {
    if access.caller.kind != SESSION {
        return Err(Problem::new(
            Kind::Forbidden,
            "an API key is not signed in; it is revoked by DELETE /me/api-keys/{id}",
        ));
    }
    let there = api.store.provider_session(&access.caller.credential).await?;
    api.store.revoke_credential(&access.caller.credential).await?;
    Record::new(&access, "", "session.end", format!("user {}", access.caller.user.id)).write(&api).await?;
    let mut url = None;
    if let Some((provider, id_token)) = there
        && let Some(provider) = api.providers.find(&provider)
    {
        // Signed out here in any case: a provider that is away does not keep anybody signed in.
        match provider.end_session(&id_token, &format!("{}/", api.config.public_api())).await {
            Ok(found) => url = found,
            Err(e) => log::line(&format!("sign-on: {e}")),
        }
    }
    Ok(([(header::SET_COOKIE, no_cookie())], Json(SignedOut { url })).into_response())
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_paths_of_this_server() {
        for good in ["/", "/alarms?x=1#y"] {
            assert!(own_path(good), "{good}");
        }
        for bad in ["", "alarms", "//evil.example", "/\\evil.example", "https://evil", "/a b", "/a\n"] {
            assert!(!own_path(bad), "{bad}");
        }
    }
}
