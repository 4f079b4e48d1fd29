// SPDX-License-Identifier: Apache-2.0
//! A scan of hosts that a server orders.

use crate::{Base, Host, Site, on_both};
use lazaret_kit::{Setup, Volume, bad};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::json;

on_both!(a_custom_scan_finds_what_was_there_before);

fn a_custom_scan_finds_what_was_there_before(base: Base) {
    let site = Site::new(base);
    // Before the daemon looks: only a scan sees it.
    let volume = Volume::tmpfs();
    std::fs::write(volume.join("old"), bad::script(MalwareClass::Backdoor, TestRating::High)).unwrap();
    std::fs::create_dir(volume.join("out")).unwrap();
    std::fs::write(volume.join("out/old"), bad::script(MalwareClass::Virus, TestRating::High)).unwrap();
    let host = Host::on(volume, &site.server, Setup::default());
    let folder = host.volume.path();
    let begun = site.server.post(
        "/scan-tasks",
        &json!({"project": "0", "name": "story", "settings": {
            "kind": "custom", "hosts": [host.id], "spread_minutes": 0,
            "include": [folder], "exclude": [folder.join("out")]}}),
    );
    let id =
        begun["task"]["id"].as_str().or_else(|| begun["id"].as_str()).unwrap_or_else(|| panic!("{begun}"));
    let task = site.server.eventually(&format!("/scan-tasks/{id}"), "the end of the scan", |t| {
        t["task"]["task_status"] == "finish"
    });
    assert_eq!(task["host_num"], 1, "{task}");
    assert_eq!(task["virus_num"], 1, "{task}\n{}", host.daemon.log());
    let found = folder.join("old");
    let alarm = site.server.eventually("/alarms", "an alarm", |a| a["path"] == found.to_str().unwrap());
    assert_eq!(alarm["class"], "backdoor");
    assert_eq!(alarm["origin"], "scan");
    assert!(found.exists(), "a manual scan only reports");
}
