// SPDX-License-Identifier: Apache-2.0
//! Editions: what a host has, what that leaves in force, and what is never taken away.

use crate::kit::Server;
use crate::rows;
use lazaret_store::Scope;
use serde_json::{Value, json};

#[tokio::test]
async fn a_fresh_installation_protects_whatever_enrols() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let project = rows::project(&s, "any").await;
    let host = rows::host(&s, &project).await;
    let shown = s.get(&format!("/api/v1/hosts/{}", host.id), &admin).await.expect(200);
    let edition = &shown["host"]["edition"];
    assert_eq!((&edition["edition"], &edition["reason"]), (&json!("enterprise"), &Value::Null), "{edition}");
    let list = s.get("/api/v1/quotas", &admin).await.expect(200);
    let pool = &list["items"][0];
    assert_eq!(
        (&pool["unlimited"], &pool["used"], &pool["automatic"]),
        (&json!(true), &json!(1), &json!(true))
    );
    let editions = s.get("/api/v1/editions", &admin).await.expect(200);
    let acting: Vec<&str> = editions["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|e| e["automatic_isolation"] == true)
        .map(|e| e["name"].as_str().unwrap())
        .collect();
    assert_eq!(acting, ["enterprise", "premium", "wtp", "container"]);
    s.stop().await;
}

#[tokio::test]
async fn losing_an_edition_takes_the_switch_and_never_a_file() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let project = rows::project(&s, "any").await;
    let host = rows::host(&s, &project).await;
    let alarm = rows::alarm(&s, &host, b"/srv/x.php", [3; 32]).await;
    let file = rows::isolated(&s, &host, b"/srv/y.php", [4; 32], "isolated").await;
    let generation = s.store().host(&host.id).await.unwrap().generation;
    let hosts = json!({ "hosts": [host.id] });
    assert_eq!(s.post("/api/v1/quotas/unbind", &admin, hosts).await.expect(200)["hosts"], 1);
    let after = s.store().host(&host.id).await.unwrap();
    assert!(after.generation > generation, "the host is told");
    let shown = s.get(&format!("/api/v1/hosts/{}", host.id), &admin).await.expect(200);
    let edition = &shown["host"]["edition"];
    assert_eq!((&edition["edition"], &edition["quota"]), (&json!("none"), &Value::Null));
    assert!(edition["not_included"].to_string().contains("isolate and kill"), "{edition}");
    let seen = s.get(&format!("/api/v1/alarms/{alarm}"), &admin).await.expect(200);
    let reasons = seen["summary"]["not_included"].to_string();
    assert!(reasons.contains("isolate and kill is off: no quota"), "{reasons}");
    let list = s.get("/api/v1/alarms", &admin).await.expect(200);
    assert_eq!(list["items"][0]["not_included"], seen["summary"]["not_included"]);
    let path = format!("/api/v1/isolated-files/{file}/restore");
    assert_eq!(s.post(&path, &admin, json!({})).await.expect(202)["total"], 1, "restored all the same");
    let handle = json!({ "operate_type": "isolate_and_kill" });
    s.post(&format!("/api/v1/alarms/{alarm}/handle"), &admin, handle).await.expect(202);
    s.stop().await;
}

#[tokio::test]
async fn pools_are_bounded_and_belong_to_projects() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let (a, b) = (rows::project(&s, "a").await, rows::project(&s, "b").await);
    let (one, two, other) = (rows::host(&s, &a).await, rows::host(&s, &a).await, rows::host(&s, &b).await);
    let make = |edition: &str, total: i64| json!({ "project": a, "edition": edition, "total": total });
    s.post("/api/v1/quotas", &admin, make("gold", 1)).await.problem(422, "invalid");
    s.post("/api/v1/quotas", &admin, make("none", 1)).await.problem(422, "invalid");
    s.post("/api/v1/quotas", &admin, make("basic", -1)).await.problem(422, "invalid");
    let past = json!({ "project": a, "edition": "basic", "expires_at": "2020-01-01T00:00:00Z" });
    s.post("/api/v1/quotas", &admin, past).await.problem(422, "invalid");
    let pool = s.post("/api/v1/quotas", &admin, make("professional", 1)).await.expect(201);
    let id = pool["id"].as_str().unwrap();
    let bind = |hosts: &[&str]| json!({ "quota": id, "hosts": hosts });
    let of_a = s.person("of.a", &[(&a, "administrator")]).await;
    let both = [one.id.as_str(), two.id.as_str()];
    s.post("/api/v1/quotas/bind", &of_a, bind(&both)).await.problem(409, "conflict");
    let uses = s.store().quota_uses(&Scope::All).await.unwrap();
    assert!(!uses.contains_key(id), "all or none: {uses:?}");
    s.post("/api/v1/quotas/bind", &of_a, bind(&both[..1])).await.expect(200);
    s.post("/api/v1/quotas/bind", &admin, bind(&[&other.id])).await.problem(409, "conflict");
    s.post("/api/v1/quotas/bind", &of_a, bind(&[&other.id])).await.problem(404, "not-found");
    let list = s.get("/api/v1/quotas", &of_a).await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "the shared one and the own one: {list}");
    // Of what all share only the own part is told.
    assert_eq!((&items[0]["used"], &items[0]["total"]), (&json!(1), &Value::Null), "{list}");
    assert_eq!((&items[1]["used"], &items[1]["idle"]), (&json!(1), &json!(0)));
    let path = format!("/api/v1/quotas/{id}");
    let change = |total: i64, status: &str| Some(json!({ "total": total, "quota_status": status }));
    let tag = [("if-match", "\"1\"")];
    s.send("PUT", &path, &admin, change(0, "normal"), &tag).await.problem(409, "conflict");
    s.send("PUT", &path, &of_a, change(9, "normal"), &tag).await.problem(403, "forbidden");
    s.send("DELETE", &path, &admin, None, &tag).await.problem(409, "conflict");
    let frozen = s.send("PUT", &path, &admin, change(2, "freeze"), &tag).await.expect(200);
    assert_eq!((&frozen["quota_status"], &frozen["revision"]), (&json!("freeze"), &json!(2)));
    s.send("PUT", &path, &admin, change(2, "normal"), &tag).await.problem(412, "stale");
    s.post("/api/v1/quotas/bind", &of_a, bind(&both[1..])).await.problem(409, "conflict");
    let shown = s.get(&format!("/api/v1/hosts/{}", one.id), &of_a).await.expect(200);
    assert!(shown["host"]["edition"]["reason"].as_str().unwrap().contains("frozen"), "{shown}");
    s.post("/api/v1/quotas/unbind", &of_a, json!({ "hosts": [one.id] })).await.expect(200);
    s.send("DELETE", &path, &admin, None, &[("if-match", "\"2\"")]).await.expect(204);
    s.stop().await;
}
