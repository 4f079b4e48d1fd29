// SPDX-License-Identifier: Apache-2.0
//! One button for a false positive: everywhere restored, whitelisted, and not isolated again.

use crate::{Base, Host, Site, on_both, settled};
use lazaret_kit::proc::{run, write_executable};
use lazaret_kit::{bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::json;
use std::time::Duration;

on_both!(a_false_positive_is_undone_everywhere);

fn a_false_positive_is_undone_everywhere(base: Base) {
    let site = Site::new(base);
    let hosts = [Host::new(&site.server), Host::new(&site.server)];
    let (status, _) =
        site.server.call("PUT", "/switches/isolate_and_kill", Some(&json!({"project": "0", "on": true})));
    assert_eq!(status, 200);
    let program = bad::program("/bin/true", MalwareClass::Trojan, TestRating::High);
    for host in &hosts {
        settled(&site.server, host);
        write_executable(&host.volume.join("ours"), &program);
        assert!(
            eventually(Duration::from_secs(20), || !host.volume.join("ours").exists()),
            "{}",
            host.daemon.log()
        );
    }
    let isolated = || {
        let page = site.server.get("/isolated-files?status=isolated");
        page["items"].as_array().map_or(0, Vec::len)
    };
    assert!(eventually(Duration::from_secs(20), || isolated() == 2));
    let alarm = site.server.eventually("/alarms", "an alarm", |a| a["class"] == "trojan");
    let path = format!("/alarms/{}/false-positive", alarm["id"].as_str().unwrap());
    let preview = site.server.get(&path);
    assert!(preview.to_string().contains(&hosts[1].id), "{preview:#}");
    assert_eq!(isolated(), 2, "a preview changes nothing");
    let ordered = site.server.post(&path, &json!({"remark": "our own tool"}));
    let done = site.server.finished(&ordered);
    assert!(done.iter().all(|c| c["state"] == "done"), "{done:#?}\n{}", hosts[0].daemon.log());
    for host in &hosts {
        let ours = host.volume.join("ours");
        assert!(ours.exists(), "{}", host.daemon.log());
        assert!(run(&ours).is_ok_and(|o| o.status.success()), "{}", host.daemon.log());
        settled(&site.server, host);
        // The same content elsewhere is let be by the whitelist, not only by the restore.
        write_executable(&host.volume.join("copy"), &program);
        assert!(run(&host.volume.join("copy")).is_ok_and(|o| o.status.success()), "{}", host.daemon.log());
    }
    let whitelist = site.server.get("/whitelist");
    assert_eq!(whitelist["items"].as_array().map(Vec::len), Some(1), "{whitelist}");
}
