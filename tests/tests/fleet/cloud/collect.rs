// SPDX-License-Identifier: Apache-2.0
//! Samples from one host: those that the server has no room for at once, and that of an alarm which a person asks
//! for: out of the vault, from where it lies, and not without consent.

use super::{Cloud, about, agreed, armed, consent, digest, standing, switch, until};
use crate::{Base, Host};
use lazaret_kit::proc::write_executable;
use lazaret_kit::{Server, bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::{Value, json};
use std::time::Duration;

/// Orders it, and says how that ended.
fn collect(server: &Server, alarm: &str, body: &Value) -> Value {
    let ordered = server.post(&format!("/alarms/{alarm}/collect-sample"), body);
    server.finished(&ordered).pop().expect("a command")
}

fn alarm_about(server: &Server, sha256: &str) -> String {
    let alarm = server.eventually(&format!("/alarms?sha256={sha256}"), "the alarm", |a| a["id"].is_string());
    alarm["id"].as_str().expect("an alarm").to_owned()
}

#[test]
fn a_person_gets_the_sample_of_an_alarm_within_the_consent() {
    let cloud = Cloud::new(Base::Sqlite);
    let server = cloud.server();
    let host = Host::new(server);
    // Isolated on the host, with hashes only: nothing of it has left.
    armed(server, &[&host], |c| c["samples"] = json!(false));
    let (path, bytes) = (host.volume.join("tool"), bad::script(MalwareClass::Trojan, TestRating::High));
    let sha256 = digest(&bytes);
    write_executable(&path, &bytes);
    host.daemon.isolated_path(&path);
    let alarm = alarm_about(server, &sha256);
    let refused = collect(server, &alarm, &json!({}));
    assert_eq!(refused["state"], "refused", "{refused:#}");
    assert!(refused["reason"].as_str().is_some_and(|r| r.contains("samples")), "{refused:#}");
    assert!(about(server, "/samples?project=0", &sha256).is_empty());

    consent(server, "0", |_| ());
    agreed(server, &host, |c| c["samples"] == true);
    let short = collect(server, &alarm, &json!({"max_bytes": 1}));
    assert_eq!(short["state"], "refused", "{short:#}");
    // Out of the vault: where it lay there is nothing.
    assert!(!path.exists());
    let done = collect(server, &alarm, &json!({}));
    assert_eq!(done["state"], "done", "{done:#}\n{}", host.daemon.log());
    let samples = about(server, "/samples?project=0", &sha256);
    assert!(samples.iter().any(|s| s["state"] == "stored" && s["size"] == bytes.len()), "{samples:?}");
    // And the deep scan has looked at it.
    until(server, &host, "the deep scan", || standing(server, "0", &sha256) == "bad");
    // What this host sent is told to whoever asks on it.
    let sent = host.daemon.json(["cloud", "sent"]);
    assert!(sent.iter().any(|s| s["sha256"] == sha256.as_str() && s["what"] == "sample"), "{sent:?}");

    // Where it lies: nothing acts by itself any more.
    switch(server, "0", "isolate_and_kill", false);
    until(server, &host, "the switch on the host", || host.daemon.status()["isolate_and_kill"] == false);
    let (path, bytes) = (host.volume.join("other"), bad::script(MalwareClass::Miner, TestRating::Medium));
    write_executable(&path, &bytes);
    let sha256 = digest(&bytes);
    let alarm = alarm_about(server, &sha256);
    let done = collect(server, &alarm, &json!({}));
    assert_eq!(done["state"], "done", "{done:#}\n{}", host.daemon.log());
    assert!(about(server, "/samples?project=0", &sha256).iter().any(|s| s["state"] == "stored"));
}

/// More than a host is asked for at once, `OFFERS_OF_HOST` in crates/server/src/gateway/cloud/uploads.rs.
const MANY: usize = 100;

#[test]
fn what_there_is_no_room_for_at_once_comes_later_though_nobody_runs_it() {
    let cloud = Cloud::new(Base::Sqlite);
    let server = cloud.server();
    let host = Host::new(server);
    armed(server, &[&host], |_| ());
    for n in 0..MANY {
        write_executable(
            &host.volume.join(&format!("ours-{n}")),
            format!("#!/bin/sh\necho {n}\n").as_bytes(),
        );
    }
    let stored = || server.get("/samples?project=0&limit=1")["total"].as_u64().unwrap_or(0);
    let all = eventually(Duration::from_secs(90), || {
        std::thread::sleep(Duration::from_millis(200));
        stored() == MANY as u64
    });
    assert!(all, "{} of {MANY}\n{}\n{}", stored(), server.log(), host.daemon.log());
}
