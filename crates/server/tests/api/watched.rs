// SPDX-License-Identifier: Apache-2.0
//! What watches the server: `/healthz`, `/readyz` and `/metrics` of a process of any role, on a port of their
//! own; and what is counted.

use crate::base::Base;
use crate::kit::{LIMITS, Server};
use axum::body::Body;
use axum::http::Request;
use lazaret_server::start::Role;
use serde_json::json;
use std::time::Duration;

const LISTEN: &str = "[metrics]\nlisten = \"127.0.0.1:0\"";

async fn watched(role: Role) -> (Server, String) {
    let s = Server::start_so(Base::Sqlite, &format!("{LIMITS}\n{LISTEN}"), role).await;
    let base = format!("http://{}", s.running().metrics.unwrap());
    (s, base)
}

#[tokio::test]
async fn a_process_of_any_role_can_be_watched() {
    for role in [Role::All, Role::Gateway, Role::Api, Role::Worker] {
        let (s, base) = watched(role).await;
        let ask = async |method: &str, path: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().method(method).uri(format!("{base}{path}"));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            s.raw(request.body(Body::empty()).unwrap()).await
        };
        assert_eq!(ask("GET", "/healthz", &[]).await.expect(200)["status"], "ok", "{role:?}");
        assert_eq!(ask("GET", "/readyz", &[]).await.expect(200)["status"], "ready", "{role:?}");
        let numbers = ask("GET", "/metrics", &[]).await;
        assert_eq!(numbers.status, 200, "{role:?}");
        assert!(numbers.header("content-type").starts_with("text/plain; version=0.0.4"));
        assert!(numbers.text.contains("lazaret_connections{port=\"metrics\"}"), "{}", numbers.text);
        // Whom a proxy hands on is not near, and nothing else of the server is here.
        ask("GET", "/metrics", &[("x-forwarded-for", "127.0.0.1")]).await.problem(403, "forbidden");
        ask("GET", "/api/v1/alarms", &[]).await.problem(404, "not-found");
        ask("GET", "/agent/ca.pem", &[]).await.problem(404, "not-found");
        let refused = ask("POST", "/healthz", &[]).await;
        assert!(refused.header("allow").contains("GET"));
        refused.problem(405, "method-not-allowed");
        s.stop().await;
    }
}

#[tokio::test]
async fn nothing_listens_until_somebody_says_so() {
    let s = Server::start_with(LIMITS, Role::Worker).await;
    assert!(s.running().metrics.is_none() && s.running().api.is_none());
    s.stop().await;
}

/// What is written by the API wakes the gateway of the same process.
#[tokio::test]
async fn requests_and_looks_are_counted() {
    let (s, base) = watched(Role::All).await;
    let admin = s.admin().await;
    s.get("/api/v1/alarms", &admin).await.expect(200);
    s.get("/api/v1/alarms", "").await.problem(401, "not-signed-in");
    s.get("/nothing", "").await.problem(404, "not-found");
    let switch = json!({ "project": "0", "on": true });
    s.send("PUT", "/api/v1/switches/isolate_and_kill", &admin, Some(switch), &[]).await.expect(200);
    let wanted = [
        "lazaret_api_requests_total{operation=\"listAlarms\",status=\"200\"}",
        "lazaret_api_requests_total{operation=\"listAlarms\",status=\"401\"}",
        "lazaret_api_requests_unrouted_total{why=\"not_found\"}",
        "lazaret_api_request_seconds_bucket{operation=\"listAlarms\",le=\"0.001\"}",
        "lazaret_gateway_looks_total{why=\"told\"}",
        "lazaret_gateway_sessions ",
        "lazaret_commands_waiting{state=\"pending\"}",
    ];
    let mut missing = Vec::new();
    for _ in 0..200 {
        let request = Request::get(format!("{base}/metrics")).body(Body::empty()).unwrap();
        let text = s.raw(request).await.text;
        missing = wanted.iter().filter(|w| !text.contains(*w)).collect();
        if missing.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(missing.is_empty(), "{missing:?}");
    s.stop().await;
}
