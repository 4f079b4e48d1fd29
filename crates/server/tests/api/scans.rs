// SPDX-License-Identifier: Apache-2.0
//! Virus scans: planned, begun by the worker, given to hosts, cancelled.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use lazaret_proto::{Message as _, v1};
use lazaret_server::start::Role;
use serde_json::{Value, json};
use std::time::Duration;

on_both!(a_scan_reaches_its_hosts_and_ends_when_it_is_cancelled, a_plan_begins_by_itself);

const LIMITS: &str = "requests_per_minute = 1000000\nrequests_per_minute_address = 1000000";

/// Asks until it is so.
async fn until(s: &Server, path: &str, token: &str, good: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..150 {
        last = s.get(path, token).await.expect(200);
        if good(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path}: {last}");
}

async fn a_scan_reaches_its_hosts_and_ends_when_it_is_cancelled(base: Base) {
    let s = Server::start_so(base, LIMITS, Role::All).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let (one, two) = (rows::host(&s, "0").await, rows::host(&s, "0").await);
    s.store().revoke_host(&two.id).await.unwrap();
    let settings = json!({ "kind": "custom", "hosts": [one.id, two.id], "include": ["/srv"],
        "exclude": ["/srv/cache"], "file_types": ["script"], "automatic": true, "spread_minutes": 0 });
    let body = json!({ "project": "0", "name": "web", "settings": settings });
    let task = s.post("/api/v1/scan-tasks", &op, body).await.expect(202);
    let id = task["id"].as_str().unwrap();
    let path = format!("/api/v1/scan-tasks/{id}/hosts");
    let scanning =
        |v: &Value| v["items"].as_array().unwrap().iter().any(|h| h["host_task_status"] == "scanning");
    let hosts = until(&s, &path, &op, scanning).await;
    assert_eq!(hosts["total"], 1, "a revoked host is not picked: {hosts}");
    let command = s.store().command(hosts["items"][0]["command"].as_str().unwrap()).await.unwrap();
    let sent = v1::Command::decode(command.payload.as_slice()).unwrap();
    let Some(v1::command::Verb::Scan(scan)) = sent.verb else { panic!("{sent:?}") };
    assert_eq!((scan.kind.as_str(), scan.paths, scan.automatic), ("custom", vec![b"/srv".to_vec()], true));
    assert_eq!((scan.task.as_str(), scan.file_types), (id, vec!["script".to_owned()]));
    let halt =
        async |verb: &str| s.send("POST", &format!("/api/v1/scan-tasks/{id}/{verb}"), &op, None, &[]).await;
    for (verb, resume, state) in [("pause", false, "paused"), ("resume", true, "scanning")] {
        let ordered = halt(verb).await.expect(202);
        assert_eq!(ordered["total"], 1, "{ordered}");
        let told = s.store().command(ordered["commands"][0]["id"].as_str().unwrap()).await.unwrap();
        let sent = v1::Command::decode(told.payload.as_slice()).unwrap();
        let Some(v1::command::Verb::Pause(pause)) = sent.verb else { panic!("{sent:?}") };
        assert_eq!((pause.task.as_str(), pause.resume), (id, resume));
        let task = s.get(&format!("/api/v1/scan-tasks/{id}"), &op).await.expect(200);
        assert_eq!(task["task"]["task_status"], state);
    }
    s.send("POST", &format!("/api/v1/scan-tasks/{id}/cancel"), &op, None, &[]).await.expect(200);
    let command = s.store().command(&command.id).await.unwrap();
    assert!(command.cancel || command.state == "cancelled", "{command:?}");
    s.stop().await;
}

async fn a_plan_begins_by_itself(base: Base) {
    let s = Server::start_so(base, LIMITS, Role::All).await;
    let op = s.person("op", &[("0", "operator")]).await;
    rows::host(&s, "0").await;
    let plan = |start: Value| {
        json!({ "project": "0", "name": format!("p {}", rows::id()), "start": start,
            "settings": { "kind": "quick", "all_hosts": true, "spread_minutes": 0 } })
    };
    for bad in [
        json!({ "start_type": "week", "date": 8 }),
        json!({ "start_type": "later" }),
        json!({ "start_type": "month" }),
        json!({ "start_type": "day", "hour": 24 }),
    ] {
        s.post("/api/v1/scan-policies", &op, plan(bad)).await.problem(422, "invalid");
    }
    let now = s.post("/api/v1/scan-policies", &op, plan(json!({ "start_type": "now" }))).await.expect(201);
    let daily = s
        .post("/api/v1/scan-policies", &op, plan(json!({ "start_type": "day", "hour": 3 })))
        .await
        .expect(201);
    assert!(daily["next_at"].is_string());
    let begun = |v: &Value| v["total"] == 1;
    let tasks = until(&s, "/api/v1/scan-tasks", &op, begun).await;
    assert_eq!(tasks["items"][0]["policy"], now["id"]);
    let path = format!("/api/v1/scan-policies/{}", now["id"].as_str().unwrap());
    let after = s.get(&path, &op).await;
    let tag = after.header("etag").to_owned();
    assert_eq!(after.expect(200)["next_at"], json!(null), "once");
    s.send("DELETE", &path, &op, None, &[("if-match", &tag)]).await.expect(204);
    s.stop().await;
}
