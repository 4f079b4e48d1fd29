// SPDX-License-Identifier: Apache-2.0
//! Whitelist entries: the rules of the hosts, tags, what they offer, what they bring back.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use serde_json::{Value, json};

on_both!(an_entry_from_beginning_to_end);

fn by_hash(digest: &str) -> Value {
    json!({ "project": "0", "scope": "project", "field": "hash", "judge": "equal", "value": digest, "description": "ours" })
}

async fn an_entry_from_beginning_to_end(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let host = rows::host(&s, "0").await;
    let file = rows::isolated(&s, &host, b"/srv/a", [1; 32], "isolated").await;
    rows::isolated(&s, &host, b"/srv/b", [2; 32], "isolated").await;
    let before = s.store().host(&host.id).await.unwrap().generation;
    let reply = s.post("/api/v1/whitelist", &admin, by_hash(&"01".repeat(32))).await;
    let added = reply.expect(201);
    assert_eq!(added["isolated"].as_array().unwrap().len(), 1, "{added}");
    assert_eq!(added["isolated"][0]["id"], file);
    assert!(s.store().host(&host.id).await.unwrap().generation > before, "hosts are to apply it");
    let path = format!("/api/v1/whitelist/{}", added["entry"]["id"].as_str().unwrap());

    let tag = s.get(&path, &admin).await.header("etag").to_owned();
    let change = json!({ "description": "still ours", "owner": "eve" });
    s.send("PUT", &path, &admin, Some(change.clone()), &[]).await.problem(428, "precondition-required");
    let put =
        async |tag: &str| s.send("PUT", &path, &admin, Some(change.clone()), &[("if-match", tag)]).await;
    let changed = put(&tag).await;
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(changed.expect(200)["owner"], "eve");
    put(&tag).await.problem(412, "stale");

    let alarm = rows::alarm(&s, &host, b"/srv/a", [1; 32]).await;
    let entry = added["entry"]["id"].as_str().unwrap();
    s.store().set_suppressed(std::slice::from_ref(&alarm), entry).await.unwrap();
    assert_eq!(s.get("/api/v1/alarms", &admin).await.expect(200)["total"], 0);
    assert_eq!(s.get("/api/v1/alarms?suppressed=true", &admin).await.expect(200)["total"], 1);
    s.get(&format!("{path}/hits"), &admin).await.expect(200);
    let removed =
        s.send("DELETE", &format!("{path}?restore_alarm=true"), &admin, None, &[]).await.expect(200);
    assert_eq!(removed, json!({ "entries": 1, "alarms": 1 }));
    assert_eq!(s.get("/api/v1/alarms", &admin).await.expect(200)["items"][0]["id"], alarm);
    s.stop().await;
}

#[tokio::test]
async fn entries_that_no_host_would_take_are_refused() {
    let s = Server::start().await;
    let admin = s.admin().await;
    let other = rows::project(&s, "other").await;
    let foreign = rows::host(&s, &other).await;
    let with = |changes: Value| {
        let mut entry = json!({ "project": "0", "scope": "project", "field": "file_path", "judge": "equal",
            "value": "/srv/a", "any_content": true, "description": "x" });
        for (k, v) in changes.as_object().unwrap() {
            entry[k] = v.clone();
        }
        entry
    };
    for bad in [
        with(json!({ "value": "relative" })),
        with(json!({ "any_content": false })),
        with(json!({ "judge": "contain", "value": "ab" })),
        with(json!({ "judge": "regex" })),
        with(json!({ "judge": "not_equal" })),
        with(json!({ "field": "hash", "value": "12" })),
        with(json!({ "description": " " })),
        with(json!({ "expires_at": "2020-01-01T00:00:00Z" })),
        with(json!({ "expires_at": "soon" })),
        with(json!({ "value_b64": "!!!", "value": null })),
        with(json!({ "scope": "host" })),
        with(json!({ "scope": "host", "scope_id": foreign.id })),
        with(json!({ "value": "/srv/\u{0}a" })),
        with(json!({ "hits_total": 5 })),
    ] {
        let reply = s.post("/api/v1/whitelist", &admin, bad.clone()).await;
        assert_eq!(reply.status, 422, "{bad}: {}", reply.text);
    }
    let odd = with(json!({ "value": null, "value_b64": "L3Nydi//" }));
    let added = s.post("/api/v1/whitelist", &admin, odd).await.expect(201);
    assert_eq!(added["entry"]["value_b64"], "L3Nydi//");
    let not = with(json!({ "judge": "not_contain", "value": "/srv/", "class": "webshell" }));
    s.post("/api/v1/whitelist", &admin, not).await.expect(201);
    s.stop().await;
}
