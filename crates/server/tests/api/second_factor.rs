// SPDX-License-Identifier: Apache-2.0
//! Second factors, passwords and sign-ins that are open.

use crate::kit::{Server, now_ms};
use aws_lc_rs::hmac;
use lazaret_server::start::Role;
use serde_json::{Value, json};

const PASSWORD: &str = "seven tired boats sing";

fn unbase32(text: &str) -> Vec<u8> {
    let (mut bits, mut held, mut out) = (0u64, 0u32, Vec::new());
    for c in text.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|l| *l == c).unwrap();
        bits = (bits << 5) | value as u64;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xff) as u8);
        }
    }
    out
}

/// As an app computes it.
fn code(secret: &str, step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &unbase32(secret));
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag[19] & 0xf);
    let number = u32::from_be_bytes(tag[from..from + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn step() -> i64 {
    now_ms() / 30_000
}

/// The first administrator with a password of their own; the token.
async fn ready(s: &Server) -> String {
    let body = s.login("admin", &s.first_password).await.expect(200);
    let token = body["token"].as_str().unwrap().to_owned();
    let change = json!({ "current": s.first_password, "new": PASSWORD });
    s.post("/api/v1/me/password", &token, change).await.expect(204);
    token
}

async fn login(s: &Server, code: Option<&str>) -> crate::kit::Reply {
    let mut body = json!({ "user": "admin", "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    s.post("/api/v1/login", "", body).await
}

/// Enrols; the secret and the recovery codes. The code of this step is used then.
async fn enrol(s: &Server, token: &str) -> (String, Vec<String>) {
    let path = "/api/v1/me/second-factor";
    s.post(path, token, json!({ "password": "not the one" })).await.problem(403, "forbidden");
    let made = s.post(path, token, json!({ "password": PASSWORD })).await.expect(201);
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(
        made["uri"].as_str().unwrap().starts_with(&format!("otpauth://totp/Lazaret:admin?secret={secret}"))
    );
    let confirm = format!("{path}/confirm");
    s.post(&confirm, token, json!({ "code": "abcdef" })).await.problem(403, "forbidden");
    let body = json!({ "code": code(&secret, step()) });
    let codes = s.post(&confirm, token, body.clone()).await.expect(200);
    let codes = codes["recovery_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned());
    s.post(&confirm, token, body).await.problem(409, "conflict");
    s.post(path, token, json!({ "password": PASSWORD })).await.problem(409, "conflict");
    (secret, codes.collect())
}

#[tokio::test]
async fn a_code_counts_once_and_recovery_codes_too() {
    let s = Server::start().await;
    let token = ready(&s).await;
    let (secret, recovery) = enrol(&s, &token).await;
    let stored = s.store().second_factor(&s.store().user_by_name("admin").await.unwrap().id).await.unwrap();
    assert!(!stored.unwrap().secret.windows(20).any(|w| w == unbase32(&secret)), "sealed");
    login(&s, None).await.problem(401, "second-factor");
    // The step of the confirmation is used up: its code does not come in, the next one does.
    let used = stored_step(&s).await;
    login(&s, Some(&code(&secret, used))).await.problem(401, "second-factor");
    let next = code(&secret, used + 1);
    login(&s, Some(&next)).await.expect(200);
    login(&s, Some(&next)).await.problem(401, "second-factor");
    login(&s, Some(&recovery[0])).await.expect(200);
    login(&s, Some(&recovery[0])).await.problem(401, "second-factor");
    let shown = s.get("/api/v1/me/second-factor", &token).await.expect(200);
    assert_eq!((&shown["enabled"], &shown["recovery_codes_left"]), (&json!(true), &json!(9)));
    let renewed = json!({ "password": PASSWORD, "code": recovery[1] });
    s.post("/api/v1/me/second-factor/recovery-codes", &token, renewed).await.expect(200);
    login(&s, Some(&recovery[2])).await.problem(401, "second-factor");
    s.stop().await;
}

async fn stored_step(s: &Server) -> i64 {
    let user = s.store().user_by_name("admin").await.unwrap();
    s.store().second_factor(&user.id).await.unwrap().unwrap().last_step
}

#[tokio::test]
async fn wrong_codes_lock_as_wrong_passwords_do() {
    let s = Server::start_with(
        "requests_per_minute = 1000000\nrequests_per_minute_address = 1000000\n[sign_on]\nfailures = 3\nlock_minutes = 5",
        Role::Api,
    )
    .await;
    let token = ready(&s).await;
    let (_, recovery) = enrol(&s, &token).await;
    for _ in 0..5 {
        login(&s, None).await.problem(401, "second-factor");
    }
    for _ in 0..3 {
        login(&s, Some("0000000")).await.problem(401, "second-factor");
    }
    assert!(login(&s, Some(&recovery[0])).await.problem(401, "wrong-password").contains("5 minutes"));
    let user = s.store().user_by_name("admin").await.unwrap();
    let left = user.locked_until_ms - now_ms();
    assert!(left > 4 * 60_000 && left <= 5 * 60_000, "{left}");
    s.stop().await;
}

#[tokio::test]
async fn where_it_is_required_nothing_else_comes_first() {
    let s = Server::start().await;
    let admin = ready(&s).await;
    let rules = json!({ "second_factor": true, "two_person": false, "most_hosts": 5, "most_files": 20,
        "approval_hours": 24 });
    let path = "/api/v1/projects/0/rules";
    let before = s.get(path, &admin).await;
    assert_eq!(before.header("etag"), "\"0\"");
    s.send("PUT", path, &admin, Some(rules.clone()), &[("if-match", "\"7\"")]).await.problem(412, "stale");
    s.send("PUT", path, &admin, Some(rules), &[("if-match", "\"0\"")]).await.expect(200);

    let body = login(&s, None).await.expect(200);
    assert_eq!(body["must_enrol_second_factor"], true);
    let token = body["token"].as_str().unwrap();
    s.get("/api/v1/alarms", token).await.problem(403, "must-enrol-second-factor");
    s.post("/api/v1/me/api-keys", token, json!({})).await.problem(403, "must-enrol-second-factor");
    assert_eq!(s.get("/api/v1/me", token).await.expect(200)["must_enrol_second_factor"], true);
    let (_, recovery) = enrol(&s, token).await;
    s.get("/api/v1/alarms", token).await.expect(200);

    // Lost: an administrator takes it away, and the next sign-in asks for a new one.
    let other = s.admin().await;
    let user = s.get("/api/v1/me", token).await.expect(200)["id"].as_str().unwrap().to_owned();
    s.send("DELETE", &format!("/api/v1/users/{user}/second-factor"), &other, None, &[]).await.expect(204);
    s.get("/api/v1/me", token).await.problem(401, "not-signed-in");
    assert_eq!(login(&s, None).await.expect(200)["must_enrol_second_factor"], true);
    login(&s, Some(&recovery[0])).await.expect(200);
    let audit = s.get("/api/v1/audit?action=second_factor.", &other).await.expect(200);
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().map(|a| a["action"].as_str().unwrap()).collect();
    assert_eq!(actions[0], "second_factor.reset");
    assert!(actions.contains(&"second_factor.confirm"), "{actions:?}");
    assert!(!audit.to_string().contains(&recovery[0]), "no secret in the log");
    s.stop().await;
}

#[tokio::test]
async fn it_is_removed_with_password_and_code_alone() {
    let s = Server::start().await;
    let token = ready(&s).await;
    let (_, recovery) = enrol(&s, &token).await;
    let path = "/api/v1/me/second-factor/remove";
    let proof = |password: &str, code: &str| json!({ "password": password, "code": code });
    s.post(path, &token, proof(PASSWORD, "1234567")).await.problem(403, "forbidden");
    s.post(path, &token, proof("wrong", &recovery[0])).await.problem(403, "forbidden");
    s.post(path, &token, proof(PASSWORD, &recovery[0])).await.expect(204);
    login(&s, None).await.expect(200);
    let key = s.post("/api/v1/me/api-keys", &token, json!({})).await.expect(201);
    let key = key["key"].as_str().unwrap();
    s.post("/api/v1/me/second-factor", key, json!({ "password": PASSWORD })).await.problem(403, "forbidden");
    s.stop().await;
}

#[tokio::test]
async fn sign_ins_are_listed_and_ended() {
    let s = Server::start().await;
    let first = ready(&s).await;
    let second = login(&s, None).await.expect(200)["token"].as_str().unwrap().to_owned();
    let list = s.get("/api/v1/me/sessions", &first).await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{list}");
    assert!(items.iter().all(|i| i["note"].as_str().unwrap().starts_with("password, from 127.0.0.1")));
    let other = items.iter().find(|i| i["current"] == false).unwrap()["id"].as_str().unwrap();
    let admin = s.admin().await;
    s.send("DELETE", &format!("/api/v1/me/sessions/{other}"), &admin, None, &[])
        .await
        .problem(404, "not-found");
    s.send("DELETE", &format!("/api/v1/me/sessions/{other}"), &first, None, &[]).await.expect(204);
    s.get("/api/v1/me", &second).await.problem(401, "not-signed-in");
    let user = s.get("/api/v1/me", &first).await.expect(200)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{user}/sessions");
    let seen = s.get(&path, &admin).await.expect(200);
    let id = seen["items"][0]["id"].as_str().unwrap();
    s.send("DELETE", &format!("{path}/{id}"), &admin, None, &[]).await.expect(204);
    s.get("/api/v1/me", &first).await.problem(401, "not-signed-in");
    login(&s, None).await.expect(200);
    login(&s, None).await.expect(200);
    assert_eq!(s.send("DELETE", &path, &admin, None, &[]).await.expect(200)["sessions"], 2);
    s.stop().await;
}

#[tokio::test]
async fn passwords_are_new_long_and_not_everybodys() {
    let s = Server::start_with(
        "requests_per_minute = 1000000\nrequests_per_minute_address = 1000000\n[sign_on]\npassword_history = 2",
        Role::Api,
    )
    .await;
    let token = ready(&s).await;
    let change = async |current: &str, new: &str| {
        s.post("/api/v1/me/password", &token, json!({ "current": current, "new": new })).await
    };
    for bad in ["Password1234!", "qwertyuiop12", "aaaaaaaaaaaa", "short one"] {
        change(PASSWORD, bad).await.problem(422, "invalid");
    }
    change(PASSWORD, "eight tired boats sing").await.expect(204);
    let again = change("eight tired boats sing", PASSWORD).await;
    assert!(again.problem(422, "invalid").contains("last ones"));
    change("eight tired boats sing", "nine tired boats sing").await.expect(204);
    change("nine tired boats sing", PASSWORD).await.expect(204);

    let fresh = login(&s, None).await.expect(200);
    assert_eq!(fresh["must_change_password"], Value::Bool(false));
    s.stop().await;
}
