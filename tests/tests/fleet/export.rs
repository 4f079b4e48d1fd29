// SPDX-License-Identifier: Apache-2.0
//! Other systems are told: what a real host did, as OCSF in a file and over syslog, valid by the schema.

use crate::notify::outgoing;
use crate::{Base, Host, Site, on_both, settled};
use lazaret_kit::pki::Authority;
use lazaret_kit::proc::write_executable;
use lazaret_kit::syslog::Syslog;
use lazaret_kit::{bad, eventually, ocsf};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(isolation_and_restore_are_exported);

fn isolation_and_restore_are_exported(base: Base) {
    let site = Site::with(base, outgoing());
    let authority = Authority::new();
    let syslog = Syslog::start(&authority.identity());
    for (name, settings) in [
        ("file", json!({ "file": { "name": "events.jsonl" } })),
        (
            "syslog",
            json!({ "syslog": { "server": "127.0.0.1", "port": syslog.port(), "authority": authority.pem } }),
        ),
    ] {
        let _ = site.server.post("/targets", &json!({ "name": name, "settings": settings }));
    }
    let (status, _) =
        site.server.call("PUT", "/switches/isolate_and_kill", Some(&json!({ "project": "0", "on": true })));
    assert_eq!(status, 200);
    let host = Host::new(&site.server);
    settled(&site.server, &host);
    let path = host.volume.join("evil");
    write_executable(&path, &bad::program("/bin/true", MalwareClass::Trojan, TestRating::High));
    let file = site.server.eventually("/isolated-files?status=isolated", "an isolated file", |f| {
        f["path"] == path.to_str().unwrap()
    });
    let id = file["id"].as_str().expect("id");
    let ordered = site.server.post(&format!("/isolated-files/{id}/restore"), &json!({}));
    let done = site.server.finished(&ordered);
    assert_eq!(done[0]["state"], "done", "{done:#?}");
    let order = done[0]["id"].as_str().expect("id");
    let exported = site.server.data().join("ocsf/all/events.jsonl");
    let read = || -> Vec<Value> {
        let text = std::fs::read_to_string(&exported).unwrap_or_default();
        text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
    };
    let of = |class: u64, activity: u64| {
        read().into_iter().find(|e| e["class_uid"] == class && e["activity_id"] == activity)
    };
    assert!(
        eventually(Duration::from_secs(30), || {
            of(2004, 1).is_some() && of(7002, 1).is_some() && of(7002, 3).is_some()
        }),
        "{:#?}\n{}",
        read(),
        site.server.log()
    );
    let isolated = of(7002, 1).expect("isolation");
    assert_eq!(isolated["status"], "Success", "{isolated:#}");
    assert_eq!(isolated["device"]["uid"], host.id.as_str());
    let restored = of(7002, 3).expect("restore");
    assert_eq!(
        (&restored["status"], &restored["command_uid"]),
        (&json!("Success"), &json!(order)),
        "{restored:#}"
    );
    assert!(eventually(Duration::from_secs(20), || syslog.seen().len() >= read().len()));
    let text = std::fs::read_to_string(&exported).expect("file");
    assert_eq!(ocsf::validate(&text), Ok(text.lines().count()));
    assert!(syslog.seen().iter().any(|m| m.contains(order)), "{:#?}", syslog.seen());
}
