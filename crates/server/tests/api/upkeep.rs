// SPDX-License-Identifier: Apache-2.0
//! Read-only, and what people add to a project's content.

use crate::kit::Server;
use crate::rows;
use lazaret_server::{init, read_only};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_answers_reads_and_refuses_writes_with_the_reason() {
    let s = Server::start().await;
    let admin = s.admin().await;
    init::read_only(&s.config, true, "we move the database").await.unwrap();
    let mut told = Value::Null;
    for _ in 0..100 {
        told = s.get("/readyz", "").await.expect(200);
        if told["read_only"].is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(told["read_only"], "we move the database");
    s.get("/api/v1/hosts", &admin).await.expect(200);
    let ask = json!({ "project": "0", "on": true });
    let refused = s.send("PUT", "/api/v1/switches/isolate_and_kill", &admin, Some(ask.clone()), &[]).await;
    assert!(!refused.header("retry-after").is_empty());
    let why = refused.problem(503, "unavailable");
    assert!(why.contains("read-only") && why.contains("we move the database"), "{why}");
    // Who may not look is told so as ever, and signing in goes on.
    s.login("nobody", "x").await.problem(401, "wrong-password");
    assert!(s.store().setting(read_only::SETTING).await.unwrap().is_some());
    init::read_only(&s.config, false, "").await.unwrap();
    for _ in 0..100 {
        if s.get("/readyz", "").await.expect(200)["read_only"].is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    s.send("PUT", "/api/v1/switches/isolate_and_kill", &admin, Some(ask), &[]).await.expect(200);
    let log = s.get("/api/v1/audit", &admin).await.text;
    assert!(log.contains("server.read_only") && log.contains("server.read_write"), "{log}");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_content_is_refused_with_its_line() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let digest = "a".repeat(64);
    for (name, kind, body, word) in [
        ("x y", "hashes", digest.as_str(), "name"),
        ("x", "pickles", digest.as_str(), "kind"),
        ("x", "hashes", "# nothing", "no digest"),
        ("x", "hashes", "\n\nzz,miner", "line 3"),
        ("x", "hashes", format!("{digest},spam").as_str(), "line 1"),
        ("x", "hashes", "#".repeat(600_000).as_str(), "at most"),
    ] {
        let ask = json!({ "project": "0", "name": name, "kind": kind, "body": body });
        let why = s.post("/api/v1/content", &admin, ask).await.problem(422, "invalid");
        assert!(why.contains(word), "{word}: {why}");
    }
    let ask = json!({ "project": "none", "name": "x", "kind": "hashes", "body": digest });
    s.post("/api/v1/content", &admin, ask).await.problem(404, "not-found");
    assert_eq!(s.get("/api/v1/content", &admin).await.expect(200)["items"], json!([]));
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_is_audited_and_is_of_its_project_alone() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let project = rows::project(&s, "p").await;
    let id = rows::content(&s, &project).await;
    let operator = s.person("op", &[(&project, "operator")]).await;
    let path = format!("/api/v1/content/{id}");
    let put =
        async |token: &str, on: bool| s.send("PUT", &path, token, Some(json!({ "promoted": on })), &[]).await;
    put(&operator, true).await.problem(403, "forbidden");
    let shown = put(&admin, true).await.expect(200);
    assert_eq!((shown["promoted"].as_bool(), shown["promoted_by"].is_string()), (Some(true), true));
    assert_eq!(put(&admin, false).await.expect(200)["promoted"], false);
    let log = s.get("/api/v1/audit", &admin).await.text;
    assert!(log.contains("content.promote") && log.contains("content.demote"), "{log}");
    let list = s.get(&format!("/api/v1/content?project={project}"), &operator).await.expect(200);
    assert_eq!(list["items"][0]["id"], id);
    assert!(s.get("/api/v1/content?project=0", &operator).await.status == 404);
    s.send("DELETE", &path, &admin, None, &[]).await.expect(204);
    s.send("DELETE", &path, &admin, None, &[]).await.problem(404, "not-found");
    s.stop().await;
}
