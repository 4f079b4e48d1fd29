// SPDX-License-Identifier: Apache-2.0
//! The audit log: every write is in it, and the chain is whole.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use serde_json::json;

on_both!(every_write_is_recorded_and_chained);

async fn every_write_is_recorded_and_chained(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.person("ada", &[("*", "administrator")]).await;
    let host = rows::host(&s, "0").await;
    let alarm = rows::alarm(&s, &host, b"/srv/a", [1; 32]).await;
    let group =
        s.post("/api/v1/host-groups", &admin, json!({ "project": "0", "name": "g" })).await.expect(201);
    let user = s.post("/api/v1/users", &admin, json!({ "name": "eve" })).await.expect(201);
    let user_path = format!("/api/v1/users/{}", user["user"]["id"].as_str().unwrap());
    s.post("/api/v1/projects", &admin, json!({ "name": "p" })).await.expect(201);
    s.post(&format!("/api/v1/alarms/{alarm}/handle"), &admin, json!({ "operate_type": "ignore" }))
        .await
        .expect(202);
    s.post("/api/v1/hosts/assign", &admin, json!({ "hosts": [host.id], "group": group["id"] }))
        .await
        .expect(200);
    s.send("POST", &format!("{user_path}/reset-password"), &admin, None, &[]).await.expect(200);
    s.send("DELETE", &user_path, &admin, None, &[]).await.expect(204);
    s.send("POST", &format!("/api/v1/hosts/{}/revoke", host.id), &admin, None, &[]).await.expect(204);
    s.send("DELETE", &format!("/api/v1/hosts/{}", host.id), &admin, None, &[]).await.expect(204);
    s.login("eve", "x").await.problem(401, "wrong-password");

    let auditor = s.person("audrey", &[("*", "auditor")]).await;
    let log = s.get("/api/v1/audit?limit=100&who=ada", &auditor).await.expect(200);
    let actions: Vec<&str> =
        log["items"].as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap()).collect();
    for action in [
        "host_group.create",
        "user.create",
        "project.create",
        "alarm.handle",
        "host.assign",
        "user.reset_password",
        "user.delete",
        "host.revoke",
        "host.remove",
    ] {
        assert!(actions.contains(&action), "{action} is not in {actions:?}");
    }
    assert!(log["items"][0]["address"] == "127.0.0.1");
    let text = log.to_string();
    let secret = user["one_time_password"].as_str().unwrap();
    assert!(!text.contains(secret) && !text.contains("argon2id"), "no secret is written down");
    let whole = s.get("/api/v1/audit/verify", &auditor).await.expect(200);
    assert_eq!((&whole["whole"], &whole["broken_at"]), (&json!(true), &json!(null)));
    assert!(whole["rows"].as_u64().unwrap() >= 9);
    let in_project = s.person("pia", &[("0", "auditor")]).await;
    s.get("/api/v1/audit/verify", &in_project).await.problem(403, "forbidden");
    let log = s.get("/api/v1/audit", &in_project).await.expect(200);
    let all = log["items"].as_array().unwrap();
    assert!(!all.is_empty() && all.iter().all(|a| a["project"] == "0"), "{log}");
    s.stop().await;
}
