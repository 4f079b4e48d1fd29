// SPDX-License-Identifier: Apache-2.0
//! `POST /v3/auth/tokens`: a token for who has a password or an access key, as IAM gives it.

use crate::error::HssError;
use crate::gate::{self, Came, named, new_request_id};
use crate::words;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Request as HttpRequest, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use lazaret_server::inside::{Inside, Person};
use serde_json::{Value, json};

/// The domain of everybody: this server.
const DOMAIN: &str = "lazaret";

/// A token that was got, and whose.
struct Got {
    token: String,
    issued_ms: i64,
    expires_ms: i64,
    person: Person,
    methods: Vec<String>,
}

pub(crate) async fn tokens(State(inside): State<Inside>, request: Request) -> Response {
    let id = new_request_id();
    let response = match token(&inside, request).await {
        Ok(response) => response,
        Err(e) => refused(&e, &id),
    };
    let status = response.status().as_u16().to_string();
    metrics::counter!("lazaret_hss_requests_total", "operation" => "create_token", "status" => status)
        .increment(1);
    named(response, &id)
}

/// IAM's shape beside HSS's: clients read one or the other.
fn refused(e: &HssError, id: &str) -> Response {
    let mut body: Value = serde_json::from_slice(&e.body(id)).unwrap_or_default();
    let title = e.status().canonical_reason().unwrap_or("refused");
    body["error"] = json!({ "code": e.status().as_u16(), "message": e.message(), "title": title });
    // With its own headers, such as when to come again.
    let mut response = e.answer(id);
    *response.body_mut() = Body::from(body.to_string());
    response
}

async fn token(inside: &Inside, request: Request) -> Result<Response, HssError> {
    let came = Came::read(inside, request).await?;
    if came.parts.method != Method::POST {
        return Err(HssError::no_method());
    }
    let body: Value = serde_json::from_slice(&came.body)
        .map_err(|e| HssError::invalid(format!("the body is not JSON: {e}")))?;
    let identity = words::at(&body, "auth.identity");
    let methods: Vec<String> = words::at(identity, "methods")
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|m| m.as_str().map(str::to_owned))
        .collect();
    let project =
        [words::text(&body, "auth.scope.project.id"), words::text(&body, "auth.scope.project.name")]
            .into_iter()
            .find(|p| !p.is_empty());
    let kinds: Vec<&str> = methods.iter().map(String::as_str).collect();
    let got = match kinds.as_slice() {
        ["hw_ak_sk"] => by_key(inside, &came, identity, project).await?,
        ["password"] | ["password", "totp"] | ["totp", "password"] => {
            by_password(inside, &came, identity, project).await?
        }
        _ => {
            return Err(HssError::invalid(
                "auth.identity.methods: [\"password\"], [\"password\", \"totp\"] or [\"hw_ak_sk\"]",
            ));
        }
    };
    let domain = json!({ "id": DOMAIN, "name": DOMAIN });
    let mut token = json!({
        "methods": methods_of(&got),
        "issued_at": words::rfc3339(got.issued_ms),
        "expires_at": words::rfc3339(got.expires_ms),
        "user": { "id": got.person.id(), "name": got.person.name(), "domain": domain },
    });
    match project {
        Some(project) => token["project"] = json!({ "id": project, "name": project, "domain": domain }),
        None => token["domain"] = domain,
    }
    let mut response =
        (StatusCode::CREATED, Body::from(json!({ "token": token }).to_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(mut value) = HeaderValue::from_str(&got.token) {
        value.set_sensitive(true);
        headers.insert("x-subject-token", value);
    }
    Ok(response)
}

fn methods_of(got: &Got) -> Value {
    got.methods.iter().map(String::as_str).collect()
}

/// A project in which they have rights, where one is named.
async fn check_scope(inside: &Inside, person: &Person, project: Option<&str>) -> Result<(), HssError> {
    let Some(project) = project else { return Ok(()) };
    gate::check_project(inside, person, project).await.map_err(|e| {
        if e.is_forbidden() {
            HssError::forbidden("auth.scope.project: none in which this user has rights")
        } else {
            e
        }
    })
}

async fn by_key(
    inside: &Inside,
    came: &Came,
    identity: &Value,
    project: Option<&str>,
) -> Result<Got, HssError> {
    let access = words::text(identity, "hw_ak_sk.access.key");
    let secret = words::text(identity, "hw_ak_sk.secret.key");
    if access.is_empty() || secret.is_empty() || access.len() > 64 || secret.len() > 256 {
        return Err(HssError::invalid("auth.identity.hw_ak_sk: access.key and secret.key are wanted"));
    }
    let wrong = || HssError::unauthorized("the access key is unknown or has ended, or the secret is wrong");
    let signer = inside.signer(access).await?.ok_or_else(wrong)?;
    aws_lc_rs::constant_time::verify_slices_are_equal(&signer.secret, secret.as_bytes())
        .map_err(|_| wrong())?;
    inside.take(&signer.person)?;
    inside.used(&signer).await?;
    // Before there is a token: what is refused leaves none behind.
    check_scope(inside, &signer.person, project).await?;
    let token = inside.token(&signer.person, came.from).await?;
    Ok(Got {
        token: token.text,
        issued_ms: token.issued_ms,
        expires_ms: token.expires_ms,
        person: signer.person,
        methods: vec!["hw_ak_sk".to_owned()],
    })
}

/// Whether a sign-in is good for nothing but to complete the user.
fn unfinished(answer: &Value) -> bool {
    ["must_change_password", "must_enrol_second_factor"].iter().any(|name| answer[*name] == json!(true))
}

/// Through the sign-in of the API, with its limits, locks and second factor.
async fn by_password(
    inside: &Inside,
    came: &Came,
    identity: &Value,
    project: Option<&str>,
) -> Result<Got, HssError> {
    let name = words::text(identity, "password.user.name");
    let password = words::text(identity, "password.user.password");
    let code = words::text(identity, "totp.user.passcode");
    if name.is_empty() || password.is_empty() {
        return Err(HssError::invalid("auth.identity.password.user: name and password are wanted"));
    }
    let mut ask = json!({ "user": name, "password": password });
    if !code.is_empty() {
        ask["code"] = json!(code);
    }
    let request = HttpRequest::post("/api/v1/login")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(ask.to_string()))
        .map_err(|e| HssError::invalid(format!("the request: {e}")))?;
    let issued_ms = inside.now_ms();
    let response = inside.ask(None, came.from, request).await;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap_or_default();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if !status.is_success() {
        return Err(HssError::of_problem(status, &answer));
    }
    let token = words::text(&answer, "token").to_owned();
    let person = inside
        .bearer(&token)
        .await?
        .ok_or_else(|| HssError::internal("the sign-in that was just made is gone"))?;
    let fits = match unfinished(&answer) {
        true => Err(HssError::forbidden(
            "the password must be changed, or a second factor enrolled, in the console first",
        )),
        false => check_scope(inside, &person, project).await,
    };
    if let Err(e) = fits {
        // Nobody gets to know the sign-in: it ends.
        if let Ok(request) = HttpRequest::post("/api/v1/logout").body(Body::empty()) {
            inside.ask(Some(&person), came.from, request).await;
        }
        return Err(e);
    }
    let expires_ms = words::ms(&answer["expires_at"]).as_i64().unwrap_or(issued_ms);
    let mut methods = vec!["password".to_owned()];
    if !code.is_empty() {
        methods.push("totp".to_owned());
    }
    Ok(Got { token, issued_ms, expires_ms, person, methods })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_ins_that_only_complete_the_user() {
        assert!(unfinished(&json!({ "must_change_password": true, "must_enrol_second_factor": false })));
        assert!(unfinished(&json!({ "must_enrol_second_factor": true })));
        assert!(!unfinished(&json!({ "must_change_password": false, "must_enrol_second_factor": false })));
    }
}
