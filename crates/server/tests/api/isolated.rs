// SPDX-License-Identifier: Apache-2.0
//! Isolated files: states with their reasons, restoring one, several, every one of a content.

use crate::base::{Base, on_both};
use crate::kit::Server;
use crate::rows;
use serde_json::json;

on_both!(restore_and_delete_as_the_state_allows);

async fn restore_and_delete_as_the_state_allows(base: Base) {
    let s = Server::start_on(base).await;
    let op = s.person("op", &[("0", "operator")]).await;
    let (one, two) = (rows::host(&s, "0").await, rows::host(&s, "0").await);
    let a = rows::isolated(&s, &one, b"/srv/a", [1; 32], "isolated").await;
    let b = rows::isolated(&s, &two, b"/srv/b", [1; 32], "restore_failed").await;
    let c = rows::isolated(&s, &two, b"/srv/c", [1; 32], "deleted").await;
    let list = s.get("/api/v1/isolated-files?status=isolated,restore_failed", &op).await.expect(200);
    assert_eq!(list["total"], 2);
    // Counted are those of the project that is asked for, of which one may see.
    let other = rows::project(&s, "other").await;
    let admin = s.admin().await;
    let elsewhere = rows::host(&s, &other).await;
    rows::isolated(&s, &elsewhere, b"/srv/d", [4; 32], "isolated").await;
    for (project, isolated, hosts) in [("0", 1, 2), (other.as_str(), 1, 1), ("all_granted_eps", 2, 3)] {
        let counted =
            s.get(&format!("/api/v1/isolated-files/statistics?project={project}"), &admin).await.expect(200);
        let of =
            |word: &str| counted["by_status"].as_array().unwrap().iter().find(|c| c["word"] == word).cloned();
        assert_eq!(of("isolated").unwrap()["count"], isolated, "{project}: {counted}");
        let counted = s.get(&format!("/api/v1/hosts/statistics?project={project}"), &admin).await.expect(200);
        assert_eq!(counted["total"], hosts, "{project}: {counted}");
    }
    for list in ["isolated-files", "hosts"] {
        s.get(&format!("/api/v1/{list}/statistics?project={other}"), &op).await.problem(404, "not-found");
        s.get(&format!("/api/v1/{list}/statistics?projct={other}"), &op).await.problem(422, "invalid");
    }
    let whole = s.get(&format!("/api/v1/isolated-files/{a}"), &op).await.expect(200);
    assert_eq!(whole["isolated"]["killed"][0]["unit"], "php-fpm.service");
    assert_eq!(whole["summary"]["source"], "event");

    let answer = s
        .post(&format!("/api/v1/isolated-files/{a}/restore"), &op, json!({ "restart": true }))
        .await
        .expect(202);
    assert_eq!(answer["total"], 1);
    let answer =
        s.post("/api/v1/isolated-files/restore", &op, json!({ "files": [a, b, c] })).await.expect(202);
    assert_eq!(answer["total"], 2);
    assert_eq!(answer["refused"][0]["id"], c);
    let answer =
        s.post("/api/v1/isolated-files/restore", &op, json!({ "sha256": "01".repeat(32) })).await.expect(202);
    assert_eq!(answer["total"], 2, "a deleted one is not asked for");
    for bad in [json!({}), json!({ "files": [a], "sha256": "01".repeat(32) }), json!({ "sha256": "xyz" })] {
        s.post("/api/v1/isolated-files/restore", &op, bad).await.problem(422, "invalid");
    }
    let answer = s.post("/api/v1/isolated-files/delete", &op, json!({ "files": [a, c] })).await.expect(202);
    assert_eq!((&answer["total"], answer["refused"].as_array().unwrap().len()), (&json!(1), 1));
    s.store().revoke_host(&two.id).await.unwrap();
    let answer =
        s.send("POST", &format!("/api/v1/isolated-files/{b}/delete"), &op, None, &[]).await.expect(202);
    assert!(answer["refused"][0]["reason"].as_str().unwrap().contains("revoked"), "{answer}");
    s.stop().await;
}
