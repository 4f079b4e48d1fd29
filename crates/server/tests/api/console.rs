// SPDX-License-Identifier: Apache-2.0
//! What browsers are given under /ui/: the page, its parts, and what they may do.

use crate::kit::{Reply, Server};
use axum::body::Body;
use axum::http::Request;
use lazaret_server::console::{Asset, Console};
use std::collections::BTreeSet;

const PAGE: &str =
    "<!doctype html><meta property=\"csp-nonce\" nonce=\"NUMBER\"><script src=\"/ui/assets/a.js\">";
const SCRIPT: &str = "console.log('as it is');";
/// Not what it stands for, so that it is seen which of the two was sent.
const PACKED: &[u8] = b"as if it were compressed";

fn asset(path: &'static str, content_type: &'static str, plain: &'static str) -> Asset {
    Asset { path, content_type, plain: plain.as_bytes(), gzip: None, tag: "e1", forever: false }
}

async fn server() -> Server {
    let script = Asset {
        gzip: Some(PACKED),
        tag: "a1b2",
        forever: true,
        ..asset("assets/a-12345678.js", "text/javascript; charset=utf-8", SCRIPT)
    };
    let index = asset("index.html", "text/html; charset=utf-8", PAGE);
    let icon = asset("favicon.svg", "image/svg+xml", "<svg/>");
    Server::start_for_browsers(Console::new([script, index, icon], "NUMBER")).await
}

/// Without anything that says who asks.
async fn get(s: &Server, path: &str, headers: &[(&str, &str)]) -> Reply {
    s.send("GET", path, "", None, headers).await
}

/// The number that an answer's policy lets styles carry.
fn nonce(reply: &Reply) -> String {
    let policy = reply.header("content-security-policy");
    let (_, rest) = policy.split_once("'nonce-").unwrap_or_else(|| panic!("no number in {policy}"));
    rest.split_once('\'').expect("an end").0.to_owned()
}

fn is_safe(reply: &Reply) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn every_page_is_the_same_page_with_a_number_of_its_own() {
    let s = server().await;
    for path in ["/", "/ui"] {
        let reply = get(&s, path, &[]).await;
        assert_eq!((reply.status, reply.header("location")), (307, "/ui/"), "{path}");
        is_safe(&reply);
    }
    let mut numbers = BTreeSet::new();
    for path in ["/ui/", "/ui/", "/ui/hosts/web.example.js", "/ui/index.html", "/ui/%3Cscript%3E?q=\"x"] {
        let reply = get(&s, &path.replace('"', "%22"), &[]).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        is_safe(&reply);
        let number = nonce(&reply);
        assert_eq!(reply.text, PAGE.replace("NUMBER", &number));
        assert!(number.len() > 20 && numbers.insert(number), "{path}");
        assert_eq!(
            reply
                .header("content-security-policy")
                .split("; ")
                .map(|p| p.replace(&nonce(&reply), "X"))
                .collect::<Vec<_>>(),
            [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self' 'nonce-X'",
                "img-src 'self' data:",
                "font-src 'self'",
                "connect-src 'self'",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        );
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin");
        assert!(reply.header("permissions-policy").contains("camera=()"));
    }
    let head = s.raw(Request::head(format!("{}/ui/alarms", s.base)).body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert!(!nonce(&head).is_empty());
    s.stop().await;
}

#[tokio::test]
async fn a_file_is_sent_once_in_the_form_that_the_browser_reads() {
    let s = server().await;
    let path = "/ui/assets/a-12345678.js";
    let plain = get(&s, path, &[]).await;
    let packed = get(&s, path, &[("accept-encoding", "br, gzip")]).await;
    assert_eq!((plain.text.as_str(), plain.header("content-encoding")), (SCRIPT, ""));
    assert_eq!((&packed.bytes[..], packed.header("content-encoding")), (PACKED, "gzip"));
    assert_eq!((plain.header("etag"), packed.header("etag")), ("\"a1b2\"", "\"a1b2-gz\""));
    for reply in [&plain, &packed] {
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(reply.header("vary"), "accept-encoding");
        is_safe(reply);
    }
    let same = get(&s, path, &[("accept-encoding", "gzip"), ("if-none-match", "\"x\", W/\"a1b2-gz\"")]).await;
    assert_eq!((same.status, same.text.as_str(), same.header("etag")), (304, "", "\"a1b2-gz\""));
    assert_eq!(same.header("cache-control"), "public, max-age=31536000, immutable");
    // What it has is the other form.
    assert_eq!(get(&s, path, &[("if-none-match", "\"a1b2-gz\"")]).await.status, 200);
    let icon = get(&s, "/ui/favicon.svg", &[("accept-encoding", "gzip")]).await;
    assert_eq!((icon.header("cache-control"), icon.header("vary")), ("no-cache", ""));
    assert_eq!((icon.status, icon.text.as_str()), (200, "<svg/>"));
    let head = s.raw(Request::head(format!("{}{path}", s.base)).body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), SCRIPT.len().to_string());
    s.stop().await;
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_read_is_a_problem() {
    let s = server().await;
    for path in
        ["/ui/assets/a.js", "/ui/assets/", "/ui/assets/a-12345678.js/x", "/ui/assets/%2e%2e/index.html"]
    {
        get(&s, path, &[]).await.problem(404, "not-found");
    }
    get(&s, "/other", &[]).await.problem(404, "not-found");
    get(&s, "/api/v1/nothing", &[]).await.problem(404, "not-found");
    for path in ["/", "/ui/", "/ui/assets/a-12345678.js"] {
        let reply = s.send("POST", path, "", None, &[]).await;
        assert_eq!(reply.header("allow"), "GET,HEAD", "{path}");
        reply.problem(405, "method-not-allowed");
    }
    // The API's own answers may do nothing at all.
    let me = get(&s, "/api/v1/me", &[]).await;
    assert_eq!(me.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
    me.problem(401, "not-signed-in");
    s.stop().await;
}

#[tokio::test]
async fn a_server_without_a_console_says_so_and_is_a_server_all_the_same() {
    // Parts without the page are none.
    let part = asset("assets/a-12345678.js", "text/javascript; charset=utf-8", SCRIPT);
    let s = Server::start_for_browsers(Console::new([part], "NUMBER")).await;
    assert_eq!(get(&s, "/", &[]).await.header("location"), "/ui/");
    for path in ["/ui/", "/ui/alarms"] {
        let reply = get(&s, path, &[]).await;
        assert_eq!((reply.status, reply.header("content-type")), (404, "text/html; charset=utf-8"));
        assert!(reply.text.contains("without the web console"), "{}", reply.text);
        assert_eq!(reply.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        is_safe(&reply);
    }
    get(&s, "/ui/assets/a-12345678.js", &[]).await.problem(404, "not-found");
    let admin = s.admin().await;
    s.get("/api/v1/me", &admin).await.expect(200);
    s.stop().await;
}
