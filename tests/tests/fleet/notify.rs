// SPDX-License-Identifier: Apache-2.0
//! People are told: a real host, a real server, a web hook and a mail, in time, and once.

use crate::{Base, Host, Site, on_both};
use lazaret_kit::hook::{Hook, Manner};
use lazaret_kit::pki::Authority;
use lazaret_kit::smtp::Smtp;
use lazaret_kit::{ServerSetup, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(an_alarm_reaches_people_and_what_could_not_is_kept);

/// A server that may send to the loopback.
pub(crate) fn outgoing() -> ServerSetup {
    ServerSetup {
        more: "[outbound]\nallow = [\"127.0.0.0/8\"]\nattempts = 3\n".into(),
        ..ServerSetup::default()
    }
}

fn told(hook: &Hook, path: &str) -> usize {
    hook.seen().iter().filter(|r| r.body.contains(path)).count()
}

fn an_alarm_reaches_people_and_what_could_not_is_kept(base: Base) {
    let mut site = Site::with(base, outgoing());
    let authority = Authority::new();
    let hook = Hook::start(Some(&authority.identity()));
    let smtp = Smtp::start("starttls", ("lazaret", "secret"), &authority.identity(), 0);
    let made = |name: &str, settings: Value, more: &[(&str, &str)]| {
        let mut ask = json!({ "project": "0", "name": name, "settings": settings });
        for (key, value) in more {
            ask[*key] = json!(value);
        }
        let answer = site.server.post("/targets", &ask);
        answer["target"]["id"].as_str().expect("id").to_owned()
    };
    let web = made("hook", json!({ "webhook": { "url": hook.url(), "authority": authority.pem } }), &[]);
    let email = json!({ "email": { "server": "127.0.0.1", "port": smtp.port(), "user": "lazaret",
        "from": "lazaret@example.com", "to": ["ann@example.com"], "authority": authority.pem } });
    let mail = made("mail", email, &[("password", "secret")]);
    for id in [&web, &mail] {
        let said = site.server.post(&format!("/targets/{id}/test"), &Value::Null);
        assert_eq!(said["delivered"], true, "{said}\n{}", site.server.log());
    }
    let host = Host::new(&site.server);
    let first = host.volume.join("first");
    std::fs::write(&first, bad::script(MalwareClass::WebShell, TestRating::High)).unwrap();
    let name = first.to_str().unwrap().to_owned();
    assert!(eventually(Duration::from_secs(20), || told(&hook, &name) == 1), "{}", site.server.log());
    assert!(
        eventually(Duration::from_secs(20), || smtp.seen().len() == 2),
        "{:?}\n{}",
        smtp.seen(),
        site.server.log()
    );
    // While the hook is broken a message is laid aside; a restart of the server changes nothing of it.
    hook.be(Manner::Status(500));
    let second = host.volume.join("second");
    std::fs::write(&second, bad::script(MalwareClass::Worm, TestRating::High)).unwrap();
    let letter = site.server.eventually("/dead-letters", "a message that was laid aside", |d| {
        d["target"] == web.as_str() && d["attempts"] == 3
    });
    site.server.kill();
    hook.be(Manner::Status(204));
    site.server.restart();
    let third = host.volume.join("third");
    std::fs::write(&third, bad::script(MalwareClass::Miner, TestRating::High)).unwrap();
    let name = third.to_str().unwrap().to_owned();
    // The lease of the process that was killed runs out first.
    assert!(eventually(Duration::from_secs(60), || told(&hook, &name) == 1), "{}", site.server.log());
    let path = format!("/dead-letters/{}/retry", letter["id"].as_str().expect("id"));
    let said = site.server.post(&path, &Value::Null);
    assert_eq!(said["delivered"], true, "{said}");
    assert_eq!(site.server.get("/dead-letters")["items"], json!([]));
    assert!(hook.seen().last().is_some_and(|r| r.body.contains(second.to_str().unwrap())));
    let state = site.server.get(&format!("/targets/{web}"));
    assert!(state["state"]["sent"].as_i64() >= Some(2) && state["state"]["error"].is_null(), "{state:#}");
}
