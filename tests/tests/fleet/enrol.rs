// SPDX-License-Identifier: Apache-2.0
//! Becoming a host, and ceasing to be one.

use crate::{Base, Host, Site, on_both};
use lazaret_kit::{Daemon, Setup, Volume, binaries, eventually};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

on_both!(a_host_enrols_by_itself_and_tells_what_it_is, a_revoked_host_is_out_and_comes_back_by_a_new_token);

fn a_host_enrols_by_itself_and_tells_what_it_is(base: Base) {
    let site = Site::new(base);
    let host = Host::new(&site.server);
    let full = site.server.get(&format!("/hosts/{}", host.id));
    let row = &full["host"];
    assert_eq!(row["importance"], "common");
    assert_eq!(row["project"], "0");
    assert_eq!(row["protection"]["state"], "full", "{row}");
    assert!(row["kernel"].as_str().is_some_and(|k| !k.is_empty()), "{row}");
    let mounts = full["mounts"].as_array().expect("mounts");
    assert!(
        mounts.iter().any(|m| m["path"] == host.volume.path().to_str().unwrap()
            && m["configured"] == "exec+open+write"
            && m["effective"] == "exec+open+write"),
        "{mounts:?}"
    );
    // The server knows a moment earlier.
    let connected = || host.daemon.status()["server"]["connected"] == true;
    assert!(eventually(Duration::from_secs(10), connected), "{}", host.daemon.log());
    let status = host.daemon.status();
    assert_eq!(status["server"]["host"], host.id.as_str(), "{status}");
}

fn a_revoked_host_is_out_and_comes_back_by_a_new_token(base: Base) {
    let site = Site::new(base);
    let host = Host::new(&site.server);
    let _ = site.server.post(&format!("/hosts/{}/revoke", host.id), &json!({}));
    site.server
        .eventually("/hosts", "an offline host", |h| h["id"] == host.id.as_str() && h["status"] == "offline");
    let told = eventually(Duration::from_secs(20), || host.daemon.status()["server"]["connected"] == false);
    assert!(told, "{}", host.daemon.log());
    let token = site.server.enrolment_token();
    let out = enroll(&host.daemon, &site.server.agents, &token, &site.server.authority, &["--again"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn enroll(daemon: &Daemon, url: &str, token: &str, authority: &str, more: &[&str]) -> std::process::Output {
    Command::new(binaries::path("lazaretd"))
        .args(["enroll", "--server", url, "--token", token, "--ca-fingerprint", authority])
        .args(more)
        .arg("--config")
        .arg(daemon.config())
        .output()
        .expect("lazaretd enroll")
}

#[test]
fn what_is_wrong_with_an_enrolment_is_said() {
    let site = Site::new(Base::Sqlite);
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup { mounts: vec![volume.path().to_owned()], ..Setup::default() });
    let server = &site.server;
    let once = server.post("/enrolment-tokens", &json!({"project": "0", "uses": 1}));
    let token = once["token"].as_str().expect("token");
    let wrong = "0".repeat(64);
    let said = |out: std::process::Output| {
        assert!(!out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    let text = said(enroll(&daemon, &server.agents, token, &wrong, &[]));
    assert!(text.contains("fingerprint") || text.contains("authority"), "{text}");
    let text = said(enroll(&daemon, &server.agents, "no-such-token", &server.authority, &[]));
    assert!(text.contains("token"), "{text}");
    let text = said(enroll(&daemon, "https://127.0.0.1:9", token, &server.authority, &[]));
    assert!(text.contains("127.0.0.1:9"), "{text}");
    let out = enroll(&daemon, &server.agents, token, &server.authority, &[]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    // Used up.
    let text = said(enroll(&daemon, &server.agents, token, &server.authority, &["--again"]));
    assert!(text.contains("token"), "{text}");
}
