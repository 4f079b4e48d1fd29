// SPDX-License-Identifier: Apache-2.0
//! Proxies before the server: whose word about the client's address is taken, and what it is used for.

use crate::kit::{LIMITS, Reply, Server};
use lazaret_server::start::Role;
use serde_json::json;

/// A sign-in with an empty name, refused without work; by way of a proxy on loopback.
async fn knock(s: &Server, headers: &[(&str, &str)]) -> Reply {
    let nobody = json!({ "user": "", "password": "x" });
    s.send("POST", "/api/v1/login", "", Some(nobody), headers).await
}

/// How often it may knock until it must wait, at most 200.
async fn until_refused(s: &Server, header: impl Fn(usize) -> (&'static str, String)) -> usize {
    for n in 0..200 {
        let (name, value) = header(n);
        let reply = knock(s, &[(name, &value)]).await;
        if reply.status == 429 {
            assert!(reply.header("retry-after").parse::<u64>().is_ok_and(|s| s >= 1));
            return n;
        }
        assert_eq!(reply.status, 401, "{}", reply.text);
    }
    200
}

const TRUST: &str = "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]";

#[tokio::test]
async fn each_client_behind_a_trusted_proxy_has_limits_of_its_own() {
    let s = Server::start_with(&format!("{LIMITS}\n{TRUST}"), Role::Api).await;
    // What the client writes itself stands before what the proxy appends, and changes nothing.
    let spoofed = until_refused(&s, |n| ("x-forwarded-for", format!("192.0.2.{n}, 203.0.113.1"))).await;
    assert!((60..150).contains(&spoofed), "{spoofed}");
    assert_eq!(knock(&s, &[("x-forwarded-for", "203.0.113.2, 10.1.2.3")]).await.status, 401);
    // The other header is nobody's word here: this is the proxy's own limit.
    assert_eq!(knock(&s, &[("forwarded", "for=203.0.113.1")]).await.status, 401);
    s.stop().await;
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let s = Server::start_with(LIMITS, Role::Api).await;
    let spoofed = until_refused(&s, |n| ("x-forwarded-for", format!("203.0.113.{n}"))).await;
    assert!((60..150).contains(&spoofed), "{spoofed}");
    // A proxy on this machine that nobody named may hand on anybody.
    s.send("GET", "/metrics", "", None, &[("x-forwarded-for", "203.0.113.1")])
        .await
        .problem(401, "not-signed-in");
    s.stop().await;
}

#[tokio::test]
async fn the_audit_log_names_the_client() {
    let standard = "forwarded_header = \"forwarded\"";
    for (more, header, seen) in [
        (TRUST.to_owned(), ("x-forwarded-for", "203.0.113.7"), "203.0.113.7"),
        (format!("{TRUST}\n{standard}"), ("forwarded", "for=\"[2001:db8::7]:443\""), "2001:db8::7"),
        (format!("{TRUST}\n{standard}"), ("x-forwarded-for", "203.0.113.7"), "127.0.0.1"),
        (String::new(), ("x-forwarded-for", "203.0.113.7"), "127.0.0.1"),
    ] {
        let s = Server::start_with(&format!("{LIMITS}\n{more}"), Role::Api).await;
        let admin = s.admin().await;
        let body = json!({ "project": "0", "name": "web" });
        s.send("POST", "/api/v1/host-groups", &admin, Some(body), &[header]).await.expect(201);
        let list = s.get("/api/v1/audit", &admin).await.expect(200);
        let rows = list["items"].as_array().unwrap();
        let made =
            rows.iter().find(|r| r["action"] == "host_group.create").unwrap_or_else(|| panic!("{list}"));
        assert_eq!(made["address"], seen, "{more} {header:?}");
        s.stop().await;
    }
}

#[tokio::test]
async fn who_is_near_is_asked_of_a_named_proxy() {
    let s = Server::start_with(&format!("{LIMITS}\n{TRUST}"), Role::Api).await;
    let from = |value: &'static str| [("x-forwarded-for", value)];
    s.send("GET", "/metrics", "", None, &from("203.0.113.1")).await.problem(401, "not-signed-in");
    assert_eq!(s.get("/metrics", "").await.status, 200, "the proxy's own machine");
    s.stop().await;
}
