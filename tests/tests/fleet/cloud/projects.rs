// SPDX-License-Identifier: Apache-2.0
//! What one project knows of a file is nothing to another one, whoever asks: hosts, people, or the same content.

use super::{
    Cloud, SOON, WHILE, about, agreed, condemn, consent, digest, page, places, standing, stays, switch,
};
use crate::{Base, Host, on_both};
use lazaret_kit::proc::{is_refused, run, write_executable};
use lazaret_kit::{Daemon, Server, Setup, Volume, eventually};
use serde_json::json;

on_both!(no_project_learns_what_another_one_knows);

/// A host of this project.
fn host(server: &Server, project: &str) -> Host {
    let known = crate::ids(server);
    let volume = Volume::tmpfs();
    let daemon = Daemon::start(&Setup {
        mounts: vec![volume.path().to_owned()],
        more: server.section_of(project),
        ..Setup::default()
    });
    let host = server.eventually("/hosts", "an online host", |h| {
        h["status"] == "online" && !known.iter().any(|k| h["id"] == k.as_str())
    });
    assert_eq!(host["project"], project, "{host}");
    Host { daemon, volume, id: host["id"].as_str().expect("id").to_owned() }
}

/// Somebody who administers this project and no other; a token.
fn administrator(server: &Server, project: &str) -> String {
    let grants = json!([{"project": project, "role": "administrator"}]);
    let made = server.post("/users", &json!({"name": "other", "grants": grants}));
    let once = made["one_time_password"].as_str().expect("a password");
    let new = "kettle by the harbour wall";
    let first = server.login("other", once);
    let change = json!({"current": once, "new": new});
    let (status, answer) = server.call_as(&first, "POST", "/me/password", Some(&change));
    assert!((200..300).contains(&status), "{answer}");
    server.login("other", new)
}

fn no_project_learns_what_another_one_knows(base: Base) {
    let cloud = Cloud::new(base);
    let server = cloud.server();
    let other = server.post("/projects", &json!({"name": "the others"}));
    let other = other["id"].as_str().expect("a project").to_owned();
    let (here, there) = (host(server, "0"), host(server, &other));
    for project in ["0", &other] {
        // Neither one sends contents: what one project has must come from its own hosts.
        consent(server, project, |c| c["samples"] = json!(project == "0"));
        switch(server, project, "malware_cloud_scan", true);
        switch(server, project, "isolate_and_kill", true);
    }
    agreed(server, &here, |c| c["hashes"] == true && c["samples"] == true);
    agreed(server, &there, |c| c["hashes"] == true && c["samples"] == false);
    let bytes = b"#!/bin/sh\necho ran\n# the same in both projects\n";
    let sha256 = digest(bytes);
    for host in [&here, &there] {
        write_executable(&host.volume.join("tool"), bytes);
    }
    let seen = |project: &str| page(server, project, &sha256).is_some_and(|p| p["file"]["hosts"] == 1);
    assert!(eventually(SOON, || seen("0") && seen(&other)), "{}", server.log());
    let stored = || about(server, "/samples?project=0", &sha256).iter().any(|s| s["state"] == "stored");
    assert!(eventually(SOON, stored), "{}\n{}", server.log(), here.daemon.log());
    assert!(eventually(SOON, || standing(server, "0", &sha256) == "clean"), "{}", server.log());
    assert_eq!(places(server, &sha256), [here.id.as_str()]);

    // Neither its sample nor its deep scan is there for the other one.
    assert_eq!(standing(server, &other, &sha256), "unknown");
    assert!(about(server, &format!("/samples?project={other}"), &sha256).is_empty());
    assert!(about(server, &format!("/deep-scans?project={other}"), &sha256).is_empty());

    // Nor its verdict.
    let said = condemn(server, "0", &sha256);
    assert_eq!(said["hosts"], 1, "{said}");
    let tool = here.volume.join("tool");
    assert!(eventually(SOON, || is_refused(&run(&tool)) || !tool.exists()), "{}", here.daemon.log());
    let runs = || run(&there.volume.join("tool")).is_ok_and(|o| o.stdout == b"ran\n");
    assert!(stays(WHILE, runs), "{}", there.daemon.log());
    assert_eq!(there.daemon.status()["cloud"]["verdicts"].as_u64().unwrap_or(0), 0);
    assert_eq!(standing(server, &other, &sha256), "unknown");

    // Nor do its people see any of it.
    let token = administrator(server, &other);
    for path in [
        format!("/files/{sha256}?project=0"),
        format!("/files/{sha256}/places?project=0"),
        "/projects/0/cloud-scan".to_owned(),
    ] {
        assert_eq!(server.call_as(&token, "GET", &path, None).0, 404, "{path}");
    }
    let bad = json!({"verdict": "bad", "class": "trojan", "reason": "not mine"});
    for (verb, body) in [("verdict", bad), ("release", json!({})), ("rescan", json!({}))] {
        let path = format!("/files/{sha256}/{verb}?project=0");
        assert_eq!(server.call_as(&token, "POST", &path, Some(&body)).0, 404, "{path}");
    }
    for list in ["/files", "/samples", "/deep-scans"] {
        assert_eq!(server.call_as(&token, "GET", &format!("{list}?project=0"), None).0, 404, "{list}");
        let list = format!("{list}?project={other}");
        let (status, body) = server.call_as(&token, "GET", &list, None);
        let own = |i: &serde_json::Value| i["project"] == other.as_str();
        assert_eq!(status, 200, "{list}: {body}");
        assert!(body["items"].as_array().is_some_and(|i| i.iter().all(own)), "{list}: {body:#}");
    }
}
