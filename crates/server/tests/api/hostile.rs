// SPDX-License-Identifier: Apache-2.0
//! What nobody should send: wildcards, headers in values, control characters, HTML, too much, the wrong
//! kind. Every answer is a problem or the data as it is.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

on_both!(names_of_files_are_data, wildcards_are_letters, a_csv_is_no_program);

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let s = Server::start().await;
    let admin = s.admin().await;
    s.get("/api/v1/nothing", &admin).await.problem(404, "not-found");
    s.get("/nothing", "").await.problem(404, "not-found");
    let reply = s.send("DELETE", "/api/v1/alarms", &admin, None, &[]).await;
    assert!(reply.header("allow").contains("GET"));
    reply.problem(405, "method-not-allowed");
    let raw = |kind: &'static str, body: &'static str| {
        Request::post(format!("{}/api/v1/login", s.base))
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap()
    };
    s.raw(raw("text/plain", "{}")).await.problem(415, "unsupported-media-type");
    s.raw(raw("application/json", "{")).await.problem(400, "bad-request");
    s.raw(raw("application/json", "[]")).await.problem(422, "invalid");
    s.raw(raw("application/json", r#"{"user":"a","password":"b","c":1}"#)).await.problem(422, "invalid");
    s.raw(raw("application/json; charset=utf-8", r#"{"user":"a\u0000","password":"b"}"#))
        .await
        .problem(422, "invalid");
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "severity=worst",
        "nonsense=1",
        "since=yesterday",
        "sha256=1",
        "after=%00",
        "after=nonsense",
        "last_days=1&since=2026-01-01T00:00:00Z",
    ] {
        s.get(&format!("/api/v1/alarms?{query}"), &admin).await.problem(422, "invalid");
    }
    for path in
        ["/api/v1/alarms/%00", "/api/v1/alarms/x", "/api/v1/hosts/%ff", "/api/v1/alarms/'%20OR%201=1--"]
    {
        s.get(path, &admin).await.problem(404, "not-found");
    }
    let reply = s.get("/api/v1/alarms", "").await;
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"lazaret\"");
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("cache-control", "no-store")]
    {
        assert_eq!(reply.header(name), value);
    }
    s.stop().await;
}

#[tokio::test]
async fn too_much_is_not_read() {
    let s = Server::start().await;
    let large = format!("{{\"user\":\"{}\",\"password\":\"x\"}}", "a".repeat(1 << 20));
    let request =
        Request::post(format!("{}/api/v1/login", s.base)).header("content-type", "application/json");
    s.raw(request.body(Body::from(large.clone())).unwrap()).await.problem(413, "too-large");
    // Without a length beforehand.
    let parts =
        large.as_bytes().chunks(64 << 10).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>();
    let body = Body::from_stream(futures_util::stream::iter(parts));
    let request =
        Request::post(format!("{}/api/v1/login", s.base)).header("content-type", "application/json");
    s.raw(request.body(body).unwrap()).await.problem(413, "too-large");
    let admin = s.admin().await;
    let many = json!({ "alarms": vec!["x"; 101], "operate_type": "ignore" });
    s.post("/api/v1/alarms/handle", &admin, many).await.problem(422, "invalid");
    s.stop().await;
}

async fn names_of_files_are_data(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    let names: [&[u8]; 6] = [
        b"/srv/<script>alert(1)</script>.php",
        b"/srv/100%_sure.php",
        b"/srv/\xff\xfe\n\r.php",
        b"/srv/'; DROP TABLE alarms; --",
        b"/srv/=HYPERLINK(\"x\")",
        "/srv/\u{202e}gpj.php".as_bytes(),
    ];
    for name in names {
        rows::alarm(&s, &host, name, [1; 32]).await;
    }
    let reply = s.get("/api/v1/alarms", &admin).await;
    assert_eq!(reply.header("content-type"), "application/json");
    let list = reply.expect(200);
    assert_eq!(list["total"], 6);
    let items = list["items"].as_array().unwrap();
    let found = |text: &str| items.iter().any(|a| a["path"] == text);
    assert!(found("/srv/<script>alert(1)</script>.php") && found("/srv/'; DROP TABLE alarms; --"));
    let odd = items.iter().find(|a| a.get("path_b64").is_some()).unwrap();
    assert_eq!(odd["path_b64"], "L3Nydi///goNLnBocA==");
    assert_eq!(odd["path"], "/srv/\u{fffd}\u{fffd}\n\r.php");
    s.stop().await;
}

/// `%` and `_` are letters like others: they find what holds them and nothing else.
async fn wildcards_are_letters(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    for name in [b"/srv/100%_sure.php".as_slice(), b"/srv/plain.php"] {
        rows::alarm(&s, &host, name, [1; 32]).await;
        rows::isolated(&s, &host, name, [1; 32], "isolated").await;
    }
    for (query, count) in
        [("%25_sure", 1), ("%25", 1), ("_", 1), ("plain", 1), ("srv", 2), ("%5C", 0), ("'", 0)]
    {
        let alarms = s.get(&format!("/api/v1/alarms?text={query}"), &admin).await.expect(200);
        assert_eq!(alarms["total"], count, "alarms {query}: {alarms}");
        let files = s.get(&format!("/api/v1/isolated-files?path={query}"), &admin).await.expect(200);
        assert_eq!(files["total"], count, "files {query}: {files}");
    }
    let hosts = s.get("/api/v1/hosts?text=%25", &admin).await.expect(200);
    assert_eq!(hosts["total"], 0, "{hosts}");
    s.stop().await;
}

async fn a_csv_is_no_program(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let mut host = rows::host_row("0");
    host.name = "=cmd|'/c calc'!A1".to_owned();
    s.store().insert_host(&host).await.unwrap();
    rows::alarm(&s, &host, b"=1+1,\"x\"\n@y", [1; 32]).await;
    let made = s.send("POST", "/api/v1/alarms/export?severity=high", &admin, None, &[]).await.expect(202);
    let path = format!("/api/v1/exports/{}", made["id"].as_str().unwrap());
    let mut state = Value::Null;
    for _ in 0..200 {
        state = s.get(&path, &admin).await.expect(200);
        if state["state"] != "running" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!((&state["state"], &state["rows"]), (&json!("done"), &json!(1)), "{state}");
    let file = s.get(state["download"].as_str().unwrap(), &admin).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.header("content-disposition").starts_with("attachment"));
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let head = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    let cell = |name: &str| row.get(head.iter().position(|h| h == name).unwrap()).unwrap();
    assert_eq!(cell("path"), "'=1+1,\"x\"\\n@y");
    assert_eq!(cell("host_name"), "'=cmd|'/c calc'!A1");
    let other = s.admin().await;
    s.get(&path, &other).await.problem(404, "not-found");
    s.stop().await;
}

#[tokio::test]
async fn nothing_of_a_request_becomes_a_header() {
    let s = Server::start().await;
    let admin = s.admin().await;
    for name in ["a\r\nset-cookie: x=y", "a\nb", "\u{7f}"] {
        let body = json!({ "project": "0", "name": name });
        s.post("/api/v1/host-groups", &admin, body).await.problem(422, "invalid");
    }
    let reply = s.get("/api/v1/alarms?after=%0d%0aset-cookie:%20x=y", &admin).await;
    assert_eq!(reply.header("set-cookie"), "");
    reply.problem(422, "invalid");
    let reply = s.get("/agent/install.sh?token=$(reboot)", "").await;
    reply.problem(422, "invalid");
    for path in ["lazaretd", "..%2f..%2fetc%2fshadow", "lazaretd%0d%0aset-cookie:%20x=y", "%00"] {
        let reply = s.get(&format!("/install/files/{path}"), "").await;
        assert_eq!(reply.header("set-cookie"), "");
        reply.problem(404, "not-found");
    }
    s.stop().await;
}

#[tokio::test]
async fn machines_see_how_the_server_stands() {
    let s = Server::start().await;
    s.get("/healthz", "").await.expect(200);
    s.get("/readyz", "").await.expect(200);
    let metrics = s.get("/metrics", "").await;
    assert_eq!(metrics.status, 200, "from loopback");
    let pem = s.get("/agent/ca.pem", "").await.text;
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    let admin = s.admin().await;
    let made = s.post("/api/v1/enrolment-tokens", &admin, json!({ "project": "0" })).await.expect(201);
    let token = made["token"].as_str().unwrap();
    let script = s.get(&format!("/agent/install.sh?token={token}"), "").await.text;
    assert!(
        script.starts_with("#!/bin/sh\n")
            && script.contains(token)
            && script.contains(&s.running().fingerprint)
    );
    let line = made["install"].as_str().unwrap();
    assert!(line.contains(&s.running().fingerprint) && line.contains("sha256sum"), "{line}");
    let list = s.get("/api/v1/enrolment-tokens", &admin).await.text;
    assert!(!list.contains(token), "the secret is shown once");
    s.stop().await;
}
