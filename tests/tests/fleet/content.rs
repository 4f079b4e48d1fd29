// SPDX-License-Identifier: Apache-2.0
//! A rule that somebody adds at the server reaches a real host within seconds, alarms at medium, acts once
//! it is promoted, and is gone when it is withdrawn.

use crate::{Base, Host, Site, on_both, settled};
use lazaret_kit::{bad, binaries, eventually};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(a_rule_is_added_promoted_and_withdrawn);

const SOON: Duration = Duration::from_secs(60);

/// In no file of this checkout or this build: put together at run time.
fn words() -> String {
    std::hint::black_box(["perfectly", "harmless", "words", "of", "a", "story", "41c7"]).join("-")
}

fn drop_file(host: &Host, name: &str) -> String {
    let path = host.volume.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n# {} {name}\nexit 0\n", words())).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Waits until the host judges by the pack that its project has now.
fn in_force(site: &Site, host: &Host) {
    let pack = site.server.get("/content")["pack"].clone();
    let mut last = Value::Null;
    let came = eventually(SOON, || {
        last = site.server.get(&format!("/hosts/{}", host.id))["content"].clone();
        last["state"] == "in_force" && last["number"] == pack["number"]
    });
    assert!(came, "{pack} {last}\n{}\n{}", site.server.log(), host.daemon.log());
    assert_eq!(last["version"], pack["version"]);
}

fn a_rule_is_added_promoted_and_withdrawn(base: Base) {
    let _ = binaries::pack();
    let site = Site::new(base);
    let host = Host::new(&site.server);
    let on = json!({"project": "0", "on": true});
    let (status, answer) = site.server.call("PUT", "/switches/isolate_and_kill", Some(&on));
    assert_eq!(status, 200, "{answer}");
    settled(&site.server, &host);
    // What does not compile is refused with its line, and reaches nobody.
    let broken = json!({"project": "0", "name": "broken.yar", "kind": "yara",
        "body": "rule a { condition: true }\nrule b { strings: $a = \"x\" condition: $c }"});
    let (status, answer) = site.server.call("POST", "/content", Some(&broken));
    assert_eq!(status, 422, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("line 2"), "{answer}");
    let rule = format!(
        "rule story_words {{ meta: class = \"miner\" family = \"story\" strings: $a = \"{}\" condition: $a }}",
        words()
    );
    let ask = json!({"project": "0", "name": "story.yar", "kind": "yara", "body": rule});
    let item = site.server.post("/content", &ask);
    assert_eq!((item["entries"].as_i64(), item["promoted"].as_bool()), (Some(1), Some(false)), "{item}");
    in_force(&site, &host);
    let first = drop_file(&host, "first");
    let alarm = site.server.eventually("/alarms", "an alarm", |a| a["path"] == first.as_str());
    assert_eq!(
        (alarm["rating"].as_str(), alarm["class"].as_str()),
        (Some("medium"), Some("miner")),
        "{alarm}"
    );
    assert!(std::path::Path::new(&first).exists(), "medium does not act");

    let path = format!("/content/{}", item["id"].as_str().unwrap());
    let (status, answer) = site.server.call("PUT", &path, Some(&json!({"promoted": true})));
    assert_eq!((status, answer["promoted"].as_bool()), (200, Some(true)), "{answer}");
    in_force(&site, &host);
    let second = drop_file(&host, "second");
    site.server.eventually("/isolated-files", "an isolated file", |f| {
        f["path"] == second.as_str() && f["status"] == "isolated"
    });
    assert!(!std::path::Path::new(&second).exists());

    let (status, answer) = site.server.call("DELETE", &path, None);
    assert_eq!(status, 204, "{answer}");
    in_force(&site, &host);
    let third = drop_file(&host, "third");
    // Something that is still found, behind it: then the third was looked at.
    let sentinel = host.volume.join("sentinel");
    std::fs::write(&sentinel, bad::high_script()).unwrap();
    site.server.eventually("/alarms", "the sentinel", |a| a["path"] == sentinel.to_str().unwrap());
    std::thread::sleep(Duration::from_secs(1));
    let all = site.server.get("/alarms?limit=1000");
    assert!(!all["items"].as_array().unwrap().iter().any(|a| a["path"] == third.as_str()), "{all:#}");
    assert!(std::path::Path::new(&third).exists());
}
