// SPDX-License-Identifier: Apache-2.0
//! Sign-in at a real provider.

use crate::idp::token_of;
use crate::kit::{Reply, Server};
use axum::body::Body;
use axum::http::Request;
use lazaret_kit::Idp;
use lazaret_server::start::Role;
use serde_json::json;
use std::collections::BTreeMap;

/// A browser: it keeps cookies and follows where it is sent, as long as that is at the provider.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn get(&mut self, s: &Server, url: &str) -> Reply {
        let kept: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let request =
            Request::builder().uri(url).header("cookie", kept.join("; ")).body(Body::empty()).unwrap();
        let reply = s.raw(request).await;
        for cookie in reply.headers.get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        reply
    }

    /// The whole way; the last answer of the server.
    async fn sign_in(&mut self, s: &Server, issuer: &str) -> Reply {
        let begun = self.get(s, &format!("{}/api/v1/sso/corp/start", s.base)).await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        let mut url = begun.header("location").to_owned();
        for _ in 0..8 {
            let reply = self.get(s, &url).await;
            if url.starts_with(&s.base) {
                return reply;
            }
            assert_eq!(reply.status, 303, "{url}: {}", reply.text);
            let to = reply.header("location");
            url = if to.starts_with('/') { format!("{issuer}{to}") } else { to.to_owned() };
        }
        panic!("the provider sends the browser around: {url}");
    }
}

#[tokio::test]
async fn people_of_a_real_provider_come_in_with_their_groups() {
    let idp = Idp::start();
    let lines =
        format!("requests_per_minute = 1000000\nrequests_per_minute_address = 1000000\n{}", idp.section());
    let s = Server::start_with(&lines, Role::Api).await;
    let mut seen = Vec::new();
    for (who, role) in [("eve", "operator"), ("ann", "viewer")] {
        let mut browser = Browser::default();
        browser.get(&s, &idp.who(who)).await;
        let reply = browser.sign_in(&s, idp.issuer()).await;
        assert_eq!((reply.status, reply.header("location")), (303, "/"), "{}", reply.text);
        let token = token_of(&reply);
        let me = s.get("/api/v1/me", &token).await.expect(200);
        assert_eq!((&me["name"], &me["grants"][0]["role"]), (&json!(who), &json!(role)), "{me}");
        // At the provider they are signed in still: the second time is the same user.
        let again = token_of(&browser.sign_in(&s, idp.issuer()).await);
        assert_eq!(s.get("/api/v1/me", &again).await.expect(200)["id"], me["id"]);
        let out = s.send("POST", "/api/v1/sso/logout", &again, None, &[]).await.expect(200);
        let url = out["url"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/session/end?", idp.issuer())), "{url}");
        s.get("/api/v1/me", &again).await.problem(401, "not-signed-in");
        seen.push(me["id"].clone());
    }
    assert_ne!(seen[0], seen[1]);
    let mut browser = Browser::default();
    browser.get(&s, &idp.who("bob")).await;
    let refused = browser.sign_in(&s, idp.issuer()).await;
    assert!(refused.problem(401, "sign-on-refused").contains("groups"));
    s.stop().await;
}
