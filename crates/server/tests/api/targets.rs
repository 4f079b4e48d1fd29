// SPDX-License-Identifier: Apache-2.0
//! Targets: what can be set, what is never shown, who may set what.

use crate::kit::Server;
use crate::rows;
use serde_json::{Value, json};

const HOOK: &str = "https://hooks.example.com/x";

async fn make(s: &Server, token: &str, name: &str, settings: Value, more: Value) -> Value {
    let mut ask = json!({ "project": "0", "name": name, "settings": settings });
    for (key, value) in more.as_object().unwrap() {
        ask[key] = value.clone();
    }
    s.post("/api/v1/targets", token, ask).await.expect(201)
}

#[tokio::test]
async fn secrets_are_shown_once_or_never() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let hook = make(&s, &admin, "hook", json!({ "webhook": { "url": HOOK } }), json!({})).await;
    let secret = hook["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let mail = json!({ "email": { "server": "mail.example.com", "user": "u", "from": "a@example.com",
        "to": ["b@example.com"] } });
    let mail = make(&s, &admin, "mail", mail, json!({ "password": "hunter2" })).await;
    let http = json!({ "http": { "url": HOOK } });
    let http = make(&s, &admin, "http", http, json!({ "token": "t0ken-of-http" })).await;
    assert!(mail["secret"].is_null() && http["secret"].is_null());
    assert_eq!((&mail["target"]["has_password"], &http["target"]["has_token"]), (&json!(true), &json!(true)));
    let id = hook["target"]["id"].as_str().unwrap();
    let rotated = s
        .post(&format!("/api/v1/targets/{id}/rotate-secret"), &admin, json!({ "keep_old": true }))
        .await
        .expect(200);
    assert_eq!(rotated["target"]["webhook_secrets"], 2);
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(secret, second);
    let mut seen = String::new();
    for path in ["targets", &format!("targets/{id}"), "audit?limit=1000"] {
        seen.push_str(&s.get(&format!("/api/v1/{path}"), &admin).await.text);
    }
    for hidden in ["hunter2", "t0ken-of-http", &secret, &second] {
        assert!(!seen.contains(hidden), "{hidden} is shown: {seen}");
    }
    let other = mail["target"]["id"].as_str().unwrap();
    // Nor in the database: who reads it or a dump of it has none.
    for target in [&hook, &mail, &http] {
        let row = s.store().target(target["target"]["id"].as_str().unwrap()).await.unwrap();
        assert!(row.secrets.len() > 40, "{}", row.secrets);
        for hidden in ["hunter2", "t0ken-of-http", "whsec_"] {
            assert!(!row.secrets.contains(hidden) && !row.settings.contains(hidden), "{row:?}");
        }
    }
    let path = format!("/api/v1/targets/{other}/rotate-secret");
    s.post(&path, &admin, json!({ "keep_old": false })).await.problem(409, "conflict");
    s.stop().await;
}

#[tokio::test]
async fn a_password_does_not_follow_to_another_server() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let settings = |server: &str| json!({ "email": { "server": server, "user": "u", "from": "a@example.com", "to": ["b@example.com"] } });
    let made = make(&s, &admin, "mail", settings("mail.example.com"), json!({ "password": "hunter2" })).await;
    let path = format!("/api/v1/targets/{}", made["target"]["id"].as_str().unwrap());
    let change = async |server: &str, tag: &str, more: Value| {
        let mut ask = json!({ "name": "mail", "enabled": true, "settings": settings(server) });
        for (key, value) in more.as_object().unwrap() {
            ask[key] = value.clone();
        }
        s.send("PUT", &path, &admin, Some(ask), &[("if-match", tag)]).await
    };
    change("mail.example.com", "\"9\"", json!({})).await.problem(412, "stale");
    let kept = change("mail.example.com", "\"1\"", json!({})).await.expect(200);
    assert_eq!(kept["has_password"], true);
    let said = change("evil.example.com", "\"2\"", json!({})).await.problem(422, "invalid");
    assert!(said.contains("password"), "{said}");
    change("new.example.com", "\"2\"", json!({ "password": "other" })).await.expect(200);
    let gone = change("new.example.com", "\"3\"", json!({ "password": "" })).await.expect(200);
    assert_eq!(gone["has_password"], false);
    let hook = json!({ "name": "mail", "enabled": true, "settings": { "webhook": { "url": HOOK } } });
    let said = s.send("PUT", &path, &admin, Some(hook), &[("if-match", "\"4\"")]).await;
    assert!(said.problem(422, "invalid").contains("kind"));
    s.stop().await;
}

#[tokio::test]
async fn what_touches_every_project_needs_all_of_them() {
    let s = Server::start().await;
    let project = rows::project(&s, "tenant").await;
    let tenant = s.person("tenant", &[(&project, "administrator")]).await;
    let admin = s.admin().await;
    let ask = |project: Value, settings: Value| json!({ "project": project, "name": format!("t {}", rows::id()), "settings": settings });
    let hook = json!({ "webhook": { "url": HOOK } });
    let file = json!({ "file": { "name": "a.jsonl" } });
    let path = "/api/v1/targets";
    s.post(path, &tenant, ask(Value::Null, hook.clone())).await.problem(403, "forbidden");
    s.post(path, &tenant, ask(json!(project), file.clone())).await.problem(403, "forbidden");
    s.post(path, &tenant, ask(json!("0"), hook.clone())).await.problem(404, "not-found");
    s.post(path, &tenant, ask(json!(project), hook.clone())).await.expect(201);
    let all = s.post(path, &admin, ask(Value::Null, hook)).await.expect(201);
    s.post(path, &admin, ask(json!(project), file)).await.expect(201);
    let id = all["target"]["id"].as_str().unwrap();
    assert!(all["target"]["project"].is_null());
    s.get(&format!("/api/v1/targets/{id}"), &tenant).await.problem(404, "not-found");
    let listed = s.get(path, &tenant).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed}");
    s.stop().await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_and_a_test_is_honest() {
    let s = Server::start().await;
    let admin = s.admin().await;
    for (settings, word) in [
        (json!({}), "exactly one"),
        (json!({ "webhook": { "url": "http://user:pw@x/" } }), "url"),
        (json!({ "webhook": { "url": HOOK, "secret": "mine" } }), "secret"),
        (json!({ "file": { "name": "../../etc/cron.d/x" } }), "file.name"),
        (json!({ "webhook": { "url": HOOK }, "filter": { "masked_classes": ["spam"] } }), "masked_classes"),
        (json!({ "webhook": { "url": HOOK }, "delivery": { "mode": "daily", "zone": "No/Where" } }), "zone"),
    ] {
        let ask = json!({ "project": "0", "name": "x", "settings": settings });
        let said = s.post("/api/v1/targets", &admin, ask).await.problem(422, "invalid");
        assert!(said.contains(word), "{word}: {said}");
    }
    let inside = json!({ "webhook": { "url": format!("{}/api/v1/hosts", s.base) } });
    let made = make(&s, &admin, "inside", inside, json!({})).await;
    let path = format!("/api/v1/targets/{}/test", made["target"]["id"].as_str().unwrap());
    let said = s.post(&path, &admin, Value::Null).await.expect(200);
    assert_eq!(said["delivered"], false);
    assert!(said["error"].as_str().unwrap().contains("[outbound] allow"), "{said}");
    let audit = s.get("/api/v1/audit?limit=10", &admin).await.text;
    assert!(audit.contains("target.test") && audit.contains("target.create"), "{audit}");
    s.stop().await;
}
