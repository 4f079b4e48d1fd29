// SPDX-License-Identifier: Apache-2.0
//! Names, passwords, tokens, keys, locks.

use crate::base::{Base, on_both};
use crate::kit::{Server, now_ms};
use axum::body::Body;
use axum::http::Request;
use lazaret_server::init;
use lazaret_server::start::Role;
use serde_json::{Value, json};

on_both!(tokens_end, somebody_is_left_who_can_let_others_in, an_access_key_signs_and_is_nothing_else);

const NEW: &str = "a long and new one";

#[tokio::test]
async fn the_first_administrator_changes_the_password_first() {
    let s = Server::start().await;
    let body = s.login("admin", &s.first_password).await.expect(200);
    assert_eq!(body["must_change_password"], true);
    let token = body["token"].as_str().unwrap();
    s.get("/api/v1/alarms", token).await.problem(403, "must-change-password");
    assert_eq!(s.get("/api/v1/me", token).await.expect(200)["name"], "admin");

    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    let path = "/api/v1/me/password";
    s.post(path, token, change("wrong", NEW)).await.problem(403, "forbidden");
    s.post(path, token, change(&s.first_password, "short")).await.problem(422, "invalid");
    s.post(path, token, change(&s.first_password, &s.first_password)).await.problem(422, "invalid");
    s.post(path, token, change(&s.first_password, NEW)).await.expect(204);
    s.get("/api/v1/alarms", token).await.expect(200);
    s.login("admin", &s.first_password).await.problem(401, "wrong-password");
    let second = s.login("ADMIN", NEW).await.expect(200);
    assert_eq!(second["must_change_password"], false);

    s.send("POST", "/api/v1/logout", token, None, &[]).await.expect(204);
    s.get("/api/v1/me", token).await.problem(401, "not-signed-in");
    s.stop().await;
}

#[tokio::test]
async fn ten_wrong_passwords_lock_and_nobody_learns_who_exists() {
    let s = Server::start().await;
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(s.login("admin", "not the password").await.problem(401, "wrong-password"));
    }
    answers.push(s.login("admin", &s.first_password).await.problem(401, "wrong-password"));
    answers.push(s.login("nobody", "not the password").await.problem(401, "wrong-password"));
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let user = s.store().user_by_name("admin").await.unwrap();
    let left = user.locked_until_ms - now_ms();
    assert!(left > 14 * 60_000 && left <= 15 * 60_000, "{left}");

    let admin = s.admin().await;
    let path = format!("/api/v1/users/{}", user.id);
    s.send("PUT", &path, &admin, Some(json!({ "unlock": true })), &[]).await.expect(200);
    s.login("admin", &s.first_password).await.expect(200);
    s.stop().await;
}

#[tokio::test]
async fn root_on_the_machine_gets_back_in() {
    let s = Server::start().await;
    for _ in 0..10 {
        s.login("admin", "not the password").await.problem(401, "wrong-password");
    }
    let password = init::reset_password(&s.config, "admin").await.unwrap();
    assert_eq!(s.login("admin", &password).await.expect(200)["must_change_password"], true);
    assert!(init::reset_password(&s.config, "nobody").await.unwrap_err().to_string().contains("nobody"));
    let again = init::init(&s.config).await.unwrap();
    assert!(again.one_time_password.is_none(), "a second init makes no second administrator");
    assert_eq!(again.fingerprint, s.running().fingerprint);
    s.stop().await;
}

async fn tokens_end(base: Base) {
    let s = Server::start_on(base).await;
    let user = s.store().user_by_name("admin").await.unwrap();
    let token = s.session(&user.id, now_ms() - 1).await;
    s.get("/api/v1/me", &token).await.problem(401, "not-signed-in");
    for bad in ["x", "lzs_", "lzk_1_2", &"a".repeat(300)] {
        s.get("/api/v1/me", bad).await.problem(401, "not-signed-in");
    }
    let disabled = s.person("gone", &[("*", "viewer")]).await;
    s.get("/api/v1/me", &disabled).await.expect(200);
    let mut row = s.store().user_by_name("gone").await.unwrap();
    row.disabled = true;
    s.store().update_user(&row).await.unwrap();
    s.get("/api/v1/me", &disabled).await.problem(401, "not-signed-in");
    s.stop().await;
}

#[tokio::test]
async fn a_cookie_needs_the_header_to_write() {
    let s = Server::start().await;
    let reply = s.login("admin", &s.first_password).await;
    let cookie = reply.header("set-cookie").to_owned();
    for part in ["__Host-lazaret=lzs_", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    let body = json!({ "current": s.first_password, "new": NEW });
    s.send("GET", "/api/v1/me", "", None, &[("cookie", pair)]).await.expect(200);
    let path = "/api/v1/me/password";
    s.send("POST", path, "", Some(body.clone()), &[("cookie", pair)]).await.problem(403, "forbidden");
    let headers = [("cookie", pair), ("x-lazaret-csrf", "1")];
    s.send("POST", path, "", Some(body), &headers).await.expect(204);
    s.stop().await;
}

#[tokio::test]
async fn a_key_has_what_it_was_given_and_no_more() {
    let s = Server::start().await;
    let token = s.person("op", &[("0", "operator")]).await;
    let make = |body| s.post("/api/v1/me/api-keys", &token, body);
    make(json!({ "grants": [{ "project": "0", "role": "administrator" }] })).await.problem(422, "invalid");
    make(json!({ "grants": [{ "project": "*", "role": "viewer" }] })).await.problem(422, "invalid");
    make(json!({ "expires_at": "2020-01-01T00:00:00Z" })).await.problem(422, "invalid");
    let made =
        make(json!({ "note": "ci", "grants": [{ "project": "0", "role": "viewer" }] })).await.expect(201);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with(&format!("lzk_{}_", made["api_key"]["id"].as_str().unwrap())));
    s.get("/api/v1/alarms", key).await.expect(200);
    s.post("/api/v1/alarms/handle-all", key, json!({ "class": "worm", "operate_type": "ignore" }))
        .await
        .problem(403, "forbidden");
    s.post("/api/v1/alarms/handle-all", &token, json!({ "class": "worm", "operate_type": "ignore" }))
        .await
        .expect(202);
    s.post("/api/v1/me/api-keys", key, json!({})).await.problem(403, "forbidden");
    s.send("GET", "/api/v1/me", "", None, &[("cookie", &format!("__Host-lazaret={key}"))])
        .await
        .problem(401, "not-signed-in");
    let path = format!("/api/v1/me/api-keys/{}", made["api_key"]["id"].as_str().unwrap());
    s.send("DELETE", &path, &token, None, &[]).await.expect(204);
    s.get("/api/v1/alarms", key).await.problem(401, "not-signed-in");
    s.stop().await;
}

async fn an_access_key_signs_and_is_nothing_else(base: Base) {
    let s = Server::start_on(base).await;
    let token = s.person("op", &[("0", "operator")]).await;
    let path = "/api/v1/me/access-keys";
    let make = |body| s.post(path, &token, body);
    make(json!({ "grants": [{ "project": "0", "role": "administrator" }] })).await.problem(422, "invalid");
    make(json!({ "expires_at": "2020-01-01T00:00:00Z" })).await.problem(422, "invalid");
    let made = make(json!({ "note": "scripts" })).await.expect(201);
    let (ak, sk) = (made["access"].as_str().unwrap(), made["secret"].as_str().unwrap());
    assert!(ak.len() == 20 && ak.starts_with("LZ") && sk.len() >= 40, "{made}");
    // Neither part is a sign-in.
    for bearer in [ak, sk, &format!("lzk_{ak}_{sk}")] {
        s.get("/api/v1/me", bearer).await.problem(401, "not-signed-in");
    }
    // The secret is shown once, and is nowhere as it is.
    let listed = s.get(path, &token).await.expect(200);
    assert_eq!(listed["items"][0]["access"], ak);
    assert!(!listed.to_string().contains(sk));
    let row = s.store().credential_of_id(ak).await.unwrap();
    assert!(!row.secret.is_empty() && !row.secret.windows(8).any(|w| w == &sk.as_bytes()[..8]));
    let audit = s.get("/api/v1/audit?action=access_key.create", &s.admin().await).await.expect(200);
    assert_eq!(audit["items"].as_array().unwrap().len(), 1, "{audit}");
    assert!(!audit.to_string().contains(sk));
    // It is not among API keys, and nobody else's to end; nor does a key end keys.
    let keys = s.get("/api/v1/me/api-keys", &token).await.expect(200);
    assert_eq!(keys["items"], json!([]));
    let other = s.person("other", &[("0", "operator")]).await;
    let one = format!("{path}/{ak}");
    s.send("DELETE", &one, &other, None, &[]).await.problem(404, "not-found");
    let key = s.post("/api/v1/me/api-keys", &token, json!({})).await.expect(201);
    s.send("DELETE", &one, key["key"].as_str().unwrap(), None, &[]).await.problem(403, "forbidden");
    s.send("DELETE", &one, &token, None, &[]).await.expect(204);
    assert!(s.store().credential_of_id(ak).await.is_err());
    s.stop().await;
}

async fn somebody_is_left_who_can_let_others_in(base: Base) {
    let s = Server::start_on(base).await;
    let admin = s.admin().await;
    let made = s
        .post(
            "/api/v1/users",
            &admin,
            json!({ "name": "Eve", "grants": [{ "project": "0", "role": "viewer" }] }),
        )
        .await
        .expect(201);
    let eve = made["user"]["id"].as_str().unwrap();
    assert_eq!(made["user"]["name"], "eve");
    s.login("eve", made["one_time_password"].as_str().unwrap()).await.expect(200);
    s.post("/api/v1/users", &admin, json!({ "name": "eve" })).await.problem(409, "conflict");
    s.post("/api/v1/users", &admin, json!({ "name": "e v e" })).await.problem(422, "invalid");
    let nowhere = json!({ "grants": [{ "project": "nowhere", "role": "viewer" }] });
    s.send("PUT", &format!("/api/v1/users/{eve}"), &admin, Some(nowhere), &[]).await.problem(422, "invalid");

    let me = s.get("/api/v1/me", &admin).await.expect(200)["id"].as_str().unwrap().to_owned();
    let first = s.store().user_by_name("admin").await.unwrap().id;
    s.send("DELETE", &format!("/api/v1/users/{first}"), &admin, None, &[]).await.expect(204);
    let mine = format!("/api/v1/users/{me}");
    s.send("DELETE", &mine, &admin, None, &[]).await.problem(409, "conflict");
    s.post(&format!("{mine}/reset-password"), &admin, Value::Null).await.problem(409, "conflict");
    s.send("PUT", &mine, &admin, Some(json!({ "disabled": true })), &[]).await.problem(409, "conflict");
    s.send("PUT", &mine, &admin, Some(json!({ "grants": [] })), &[]).await.problem(409, "conflict");
    s.send("DELETE", &format!("/api/v1/users/{eve}"), &admin, None, &[]).await.expect(204);
    s.stop().await;
}

#[tokio::test]
async fn too_many_requests_wait() {
    let s = Server::start_with("requests_per_minute = 5\nrequests_per_minute_address = 8", Role::Api).await;
    let token = s.admin().await;
    for _ in 0..5 {
        s.get("/api/v1/me", &token).await.expect(200);
    }
    let reply = s.get("/api/v1/me", &token).await;
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
    reply.problem(429, "too-many-requests");
    let other = s.admin().await;
    s.get("/api/v1/me", &other).await.expect(200);
    let mut last = 200;
    for _ in 0..3 {
        last = s.get("/api/v1/me", &other).await.status;
    }
    assert_eq!(last, 429, "all of one address together");
    let request = Request::builder().uri(format!("{}/healthz", s.base)).body(Body::empty()).unwrap();
    s.raw(request).await.expect(200);
    s.stop().await;
}
