// SPDX-License-Identifier: Apache-2.0
//! Sign-in at a provider: what is true comes in, once; what is forged, old, meant for others or replayed
//! does not.

use crate::idp::{Away, CLIENT, Idp, Key, begin, come_back, token_of};
use crate::kit::{Reply, Server, now_ms};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use lazaret_server::break_glass;
use lazaret_server::start::Role;
use serde_json::{Value, json};

async fn rig() -> (Server, Idp) {
    let idp = Idp::start().await;
    let s = Server::start_with(&idp.lines(), Role::Api).await;
    (s, idp)
}

/// A whole sign-in with the claims as they are changed.
async fn with(s: &Server, idp: &Idp, groups: &[&str], change: impl FnOnce(&mut Value)) -> (Reply, Away) {
    let away = begin(s, idp).await;
    let mut claims = idp.claims(&away.nonce, groups);
    change(&mut claims);
    let token = idp.script().keys.last().unwrap().sign(&claims);
    idp.script().id_token = token;
    (come_back(s, &away).await, away)
}

async fn signed_in(s: &Server, idp: &Idp, groups: &[&str]) -> String {
    let (reply, _) = with(s, idp, groups, |_| {}).await;
    assert_eq!(reply.status, 303, "{}: {:?}", reply.text, idp.script().faults);
    assert_eq!(reply.header("location"), "/alarms");
    token_of(&reply)
}

#[tokio::test]
async fn groups_are_rights_at_every_sign_in() {
    let (s, idp) = rig().await;
    let listed = s.get("/api/v1/sso/providers", "").await.expect(200);
    assert_eq!(
        (&listed["items"][0]["title"], &listed["passwords"]),
        (&json!("The corporation"), &json!(true))
    );
    let token = signed_in(&s, &idp, &["soc", "unknown"]).await;
    let me = s.get("/api/v1/me", &token).await.expect(200);
    assert_eq!(me["name"], "eve.adams");
    assert_eq!(me["grants"], json!([{ "project": "*", "role": "operator" }]));
    // Another group now: the same user, other rights, also for the sign-in that is open.
    let second = signed_in(&s, &idp, &["web", "gone"]).await;
    let again = s.get("/api/v1/me", &second).await.expect(200);
    assert_eq!((&again["id"], &again["grants"][0]["role"]), (&me["id"], &json!("administrator")));
    assert_eq!(s.get("/api/v1/me", &token).await.expect(200)["grants"], again["grants"]);
    let sessions = s.get("/api/v1/me/sessions", &token).await.expect(200);
    assert_eq!((sessions["items"].as_array().unwrap().len(), &sessions["providers"][0]), (2, &json!("corp")));
    // In no group any more: nobody is let in, and what was open ends.
    let (out, _) = with(&s, &idp, &["gone"], |_| {}).await;
    assert!(out.problem(401, "sign-on-refused").contains("groups"));
    s.get("/api/v1/me", &second).await.problem(401, "not-signed-in");
    let admin = s.admin().await;
    let audit = s.get("/api/v1/audit?action=session.begin", &admin).await.expect(200);
    let outcomes: Vec<&str> =
        audit["items"].as_array().unwrap().iter().map(|a| a["outcome"].as_str().unwrap()).collect();
    assert!(outcomes[0].contains("groups") && outcomes[1] == "done by provider corp", "{outcomes:?}");
    s.stop().await;
}

type Change = Box<dyn FnOnce(&mut Value)>;

fn change(claims: impl FnOnce(&mut Value) + 'static) -> Change {
    Box::new(claims)
}

type Forge<'a> = Box<dyn Fn(&Value) -> String + 'a>;

fn forge<'a>(token: impl Fn(&Value) -> String + 'a) -> Forge<'a> {
    Box::new(token)
}

#[tokio::test]
async fn forged_tokens_let_nobody_in() {
    let (s, idp) = rig().await;
    let now = now_ms() / 1000;
    let set = |name: &'static str, value: Value| move |c: &mut Value| c[name] = value;
    let bad: Vec<(&str, Change)> = vec![
        ("another issuer", change(set("iss", json!("https://other.example")))),
        ("another audience", change(set("aud", json!("other")))),
        ("several audiences without a party", change(set("aud", json!([CLIENT, "other"])))),
        ("another party", change(set("azp", json!("other")))),
        ("expired", change(set("exp", json!(now - 120)))),
        ("made long ago", change(set("iat", json!(now - 3600)))),
        ("made later", change(set("iat", json!(now + 3600)))),
        ("not yet", change(set("nbf", json!(now + 3600)))),
        ("another nonce", change(set("nonce", json!("x")))),
        ("nobody", change(set("sub", json!("")))),
    ];
    for (name, change) in bad {
        let (reply, _) = with(&s, &idp, &["soc"], change).await;
        assert_eq!(reply.status, 401, "{name}: {}", reply.text);
        reply.problem(401, "sign-on-refused");
    }
    assert!(s.store().user_by_name("eve.adams").await.is_err(), "nobody was made");
    s.stop().await;
}

/// The provider's token with another head, signed by `sign`.
fn forged(head: &Value, claims: &Value, sign: impl FnOnce(&str) -> String) -> String {
    let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
    let text = format!("{}.{}", part(head), part(claims));
    format!("{text}.{}", sign(&text))
}

#[tokio::test]
async fn signatures_count_and_algorithms_are_ours_to_choose() {
    let (s, idp) = rig().await;
    // The provider says that it would: we do not.
    idp.script().algorithms = vec!["ES256", "none", "HS256"];
    let key = idp.script().keys[0].clone();
    let stranger = Key { kid: key.kid.clone(), ..Key::new("x") };
    let hmac = |secret: &[u8], claims: &Value| {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some("one".to_owned());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let tokens: Vec<(&str, Forge<'_>)> = vec![
        ("alg none", forge(|c| forged(&json!({ "alg": "none" }), c, |_| String::new()))),
        (
            "alg none with a key",
            forge(|c| forged(&json!({ "alg": "none", "kid": "one" }), c, |_| String::new())),
        ),
        ("HS256 with the public key", forge(|c| hmac(&key.public, c))),
        ("HS256 with the client's secret", forge(|c| hmac(crate::idp::SECRET.as_bytes(), c))),
        ("a stranger's key under our name", forge(|c| stranger.sign(c))),
        ("a key that nobody has", forge(|c| Key::new("two").sign(c))),
        ("without a signature", forge(|c| key.sign(c).rsplit_once('.').unwrap().0.to_owned() + ".")),
        (
            "other claims under a true signature",
            forge(|c| {
                let good = key.sign(c);
                let mut other = c.clone();
                other["sub"] = json!("somebody-else");
                let parts: Vec<&str> = good.split('.').collect();
                format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(other.to_string()), parts[2])
            }),
        ),
        (
            "RS256 said, ES256 signed",
            forge(|c| {
                let good = key.sign(c);
                let (_, signature) = good.rsplit_once('.').unwrap();
                forged(&json!({ "alg": "RS256", "kid": "one" }), c, |_| signature.to_owned())
            }),
        ),
        ("no token at all", forge(|_| "garbage".to_owned())),
        ("too long", forge(|_| "a.".repeat(80_000))),
    ];
    for (name, make) in &tokens {
        let away = begin(&s, &idp).await;
        let token = make(&idp.claims(&away.nonce, &["soc"]));
        idp.script().id_token = token;
        let reply = come_back(&s, &away).await;
        assert_eq!(reply.status, 401, "{name}: {}", reply.text);
    }
    assert!(idp.script().faults.is_empty(), "{:?}", idp.script().faults);
    signed_in(&s, &idp, &["soc"]).await;
    s.stop().await;
}

#[tokio::test]
async fn keys_are_rotated_and_not_asked_for_at_will() {
    let (s, idp) = rig().await;
    signed_in(&s, &idp, &["soc"]).await;
    assert_eq!(idp.script().keys_asked, 1);
    idp.script().keys = vec![Key::new("two")];
    signed_in(&s, &idp, &["soc"]).await;
    assert_eq!(idp.script().keys_asked, 2, "an unknown key is asked for");
    for n in 0..3 {
        let away = begin(&s, &idp).await;
        let token = Key::new(&format!("never-{n}")).sign(&idp.claims(&away.nonce, &["soc"]));
        idp.script().id_token = token;
        come_back(&s, &away).await.problem(401, "sign-on-refused");
    }
    assert_eq!(idp.script().keys_asked, 2, "but not as often as somebody wants");
    signed_in(&s, &idp, &["soc"]).await;
    s.stop().await;
}

#[tokio::test]
async fn a_sign_in_ends_once_where_it_began() {
    let (s, idp) = rig().await;
    let (reply, away) = with(&s, &idp, &["soc"], |_| {}).await;
    assert_eq!(reply.status, 303, "{}", reply.text);
    come_back(&s, &away).await.problem(401, "sign-on-refused");

    let fresh = begin(&s, &idp).await;
    let token = idp.script().keys[0].sign(&idp.claims(&fresh.nonce, &["soc"]));
    idp.script().id_token = token;
    let elsewhere = Away { cookie: "__Host-lazaret-sso=other".to_owned(), ..begin(&s, &idp).await };
    come_back(&s, &elsewhere).await.problem(401, "sign-on-refused");
    let no_state = Away { state: "x".to_owned(), nonce: String::new(), cookie: fresh.cookie.clone() };
    come_back(&s, &no_state).await.problem(401, "sign-on-refused");
    // The token of another sign-in, though it is true.
    let other = begin(&s, &idp).await;
    come_back(&s, &other).await.problem(401, "sign-on-refused");

    let refused = begin(&s, &idp).await;
    let path = format!("/api/v1/sso/corp/callback?error=access_denied&state={}", refused.state);
    let said = s.send("GET", &path, "", None, &[("cookie", &refused.cookie)]).await;
    assert!(said.problem(401, "sign-on-refused").contains("access_denied"));
    let issuer = begin(&s, &idp).await;
    let path = format!("/api/v1/sso/corp/callback?code=c&iss=https://evil.example&state={}", issuer.state);
    let said = s.send("GET", &path, "", None, &[("cookie", &issuer.cookie)]).await;
    assert!(said.problem(401, "sign-on-refused").contains("another provider"));
    for back in ["https://evil.example", "//evil.example", "/%5Cevil.example"] {
        s.get(&format!("/api/v1/sso/corp/start?return_to={back}"), "").await.problem(422, "invalid");
    }
    s.get("/api/v1/sso/nobody/start", "").await.problem(404, "not-found");
    s.stop().await;
}

#[tokio::test]
async fn another_process_ends_what_one_began() {
    let idp = Idp::start().await;
    let s = Server::start_with(&idp.lines(), Role::Api).await;
    let other = lazaret_server::start::start(s.config.clone(), Role::Api).await.unwrap();
    let away = begin(&s, &idp).await;
    // As behind a balancer: the address that people use is one for all.
    let base = format!("http://{}", other.api.unwrap());
    idp.script().redirect = format!("{base}/api/v1/sso/corp/callback");
    let token = idp.script().keys[0].sign(&idp.claims(&away.nonce, &["soc"]));
    idp.script().id_token = token;
    let request = axum::http::Request::builder()
        .uri(format!("{base}/api/v1/sso/corp/callback?code=the-code&state={}", away.state))
        .header("cookie", &away.cookie)
        .body(axum::body::Body::empty())
        .unwrap();
    let reply = s.raw(request).await;
    assert_eq!(reply.status, 303, "{}: {:?}", reply.text, idp.script().faults);
    s.get("/api/v1/me", &token_of(&reply)).await.expect(200);
    other.stop().await;
    s.stop().await;
}

#[tokio::test]
async fn what_the_token_leaves_out_comes_from_userinfo_about_the_same_person() {
    let (s, idp) = rig().await;
    let drop_groups = |c: &mut Value| drop(c.as_object_mut().unwrap().remove("groups"));
    idp.script().userinfo = json!({ "sub": "person-1", "groups": "soc" });
    let (reply, _) = with(&s, &idp, &[], drop_groups).await;
    assert_eq!(reply.status, 303, "{}", reply.text);
    idp.script().userinfo = json!({ "sub": "person-2", "groups": ["web"] });
    let (reply, _) = with(&s, &idp, &[], drop_groups).await;
    assert!(reply.problem(401, "sign-on-refused").contains("somebody else"));
    s.stop().await;
}

#[tokio::test]
async fn a_local_user_of_the_same_name_is_somebody_else() {
    let (s, idp) = rig().await;
    s.person("eve.adams", &[("*", "administrator")]).await;
    let token = signed_in(&s, &idp, &["web"]).await;
    let me = s.get("/api/v1/me", &token).await.expect(200);
    assert_eq!((&me["name"], &me["grants"][0]["project"]), (&json!("eve.adams.corp"), &json!("0")));
    let admin = s.admin().await;
    let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
    s.send("POST", &format!("{path}/reset-password"), &admin, None, &[]).await.problem(409, "conflict");
    s.send("PUT", &path, &admin, Some(json!({ "disabled": true })), &[]).await.expect(200);
    s.get("/api/v1/me", &token).await.problem(401, "not-signed-in");
    let (reply, _) = with(&s, &idp, &["web"], |_| {}).await;
    assert!(reply.problem(401, "sign-on-refused").contains("disabled"));
    s.login("eve.adams.corp", "anything at all").await.problem(401, "wrong-password");
    s.stop().await;
}

#[tokio::test]
async fn signing_out_ends_it_here_and_names_the_place_there() {
    let (s, idp) = rig().await;
    let token = signed_in(&s, &idp, &["soc"]).await;
    let id_token = idp.script().id_token.clone();
    let out = s.send("POST", "/api/v1/sso/logout", &token, None, &[]).await.expect(200);
    let url = reqwest::Url::parse(out["url"].as_str().unwrap()).unwrap();
    assert!(url.as_str().starts_with(&format!("{}/logout?", idp.issuer())), "{url}");
    let hint = url.query_pairs().find(|(n, _)| n == "id_token_hint").unwrap().1.into_owned();
    assert_eq!(hint, id_token);
    s.get("/api/v1/me", &token).await.problem(401, "not-signed-in");
    let local = s.admin().await;
    let out = s.send("POST", "/api/v1/sso/logout", &local, None, &[]).await.expect(200);
    assert_eq!(out["url"], Value::Null);
    s.stop().await;
}

#[tokio::test]
async fn a_provider_that_is_another_or_answers_garbage_is_not_believed() {
    let (s, idp) = rig().await;
    idp.script().other_issuer = Some("https://other.example".to_owned());
    s.get("/api/v1/sso/corp/start", "").await.problem(503, "unavailable");
    idp.script().other_issuer = None;
    for garbage in
        [(200, "<html>".to_owned()), (500, "{}".to_owned()), (302, String::new()), (200, "x".repeat(2 << 20))]
    {
        idp.script().garbage = Some(garbage);
        s.get("/api/v1/sso/corp/start", "").await.problem(503, "unavailable");
    }
    idp.script().garbage = None;
    signed_in(&s, &idp, &["soc"]).await;
    s.stop().await;
}

#[tokio::test]
async fn break_glass_lets_in_when_only_the_provider_should() {
    let idp = Idp::start().await;
    let lines = idp.lines().replace(
        "[[sign_on.providers]]",
        "[sign_on]\npasswords = false\nsecond_factor = true\n[[sign_on.providers]]",
    );
    let s = Server::start_with(&lines, Role::Api).await;
    s.login("admin", &s.first_password).await.problem(401, "wrong-password");
    signed_in(&s, &idp, &["soc"]).await;
    assert!(
        break_glass::break_glass(&s.config, "eve.adams").await.unwrap_err().to_string().contains("provider")
    );
    let password = break_glass::break_glass(&s.config, "Rescue").await.unwrap();
    let body = s.login("rescue", &password).await.expect(200);
    assert_eq!(
        (&body["must_change_password"], &body["must_enrol_second_factor"]),
        (&json!(true), &json!(false))
    );
    let token = body["token"].as_str().unwrap();
    let change = json!({ "current": password, "new": "seven tired boats sing" });
    s.post("/api/v1/me/password", token, change).await.expect(204);
    let alarms = s.get("/api/v1/alarms?text=break-glass", token).await.expect(200);
    assert_eq!(alarms["total"], 1, "{alarms}");
    let alarm = format!("/api/v1/alarms/{}/handle", alarms["items"][0]["id"].as_str().unwrap());
    s.post(&alarm, token, json!({ "operate_type": "mark_as_handled" })).await.expect(202);
    let audit = s.get("/api/v1/audit?action=user.break_glass", token).await.expect(200);
    assert_eq!((&audit["total"], &audit["items"][0]["who"]), (&json!(1), &json!("root on the server")));
    assert_eq!(s.get("/api/v1/audit/verify", token).await.expect(200)["whole"], true);
    s.stop().await;
}
