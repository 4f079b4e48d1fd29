// SPDX-License-Identifier: Apache-2.0
//! One button for a false positive: everywhere restored, whitelisted, and the rule that misfired only
//! alarms until it is armed again.

use crate::{Base, Host, Site, on_both, settled};
use lazaret_kit::proc::{run, write_executable};
use lazaret_kit::rule::{self, RULE, stand_in};
use lazaret_kit::{Setup, Volume, eventually};
use serde_json::json;
use std::time::Duration;

on_both!(a_false_positive_is_undone_everywhere);

fn a_false_positive_is_undone_everywhere(base: Base) {
    let site = Site::new(base);
    let home = Volume::tmpfs();
    let pack = rule::content(home.beside());
    let setup = || Setup { paths: format!("content = {pack:?}\n"), ..Setup::default() };
    let hosts = [Host::with(&site.server, setup()), Host::with(&site.server, setup())];
    let (status, _) =
        site.server.call("PUT", "/switches/isolate_and_kill", Some(&json!({"project": "0", "on": true})));
    assert_eq!(status, 200);
    let program = stand_in(0);
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
    let alarm = site.server.eventually("/alarms", "an alarm", |a| a["class"] == "malware");
    let path = format!("/alarms/{}/false-positive", alarm["id"].as_str().unwrap());
    let preview = site.server.get(&path);
    assert!(preview.to_string().contains(&hosts[1].id), "{preview:#}");
    assert_eq!(preview["rules"], json!([RULE]), "{preview:#}");
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
        // What else the rule hits only alarms.
        let other = host.volume.join("other");
        write_executable(&other, &stand_in(1));
        assert!(run(&other).is_ok_and(|o| o.status.success()), "{}", host.daemon.log());
        assert_eq!(host.daemon.alarm_about(&other)["decision"], "alarm", "{}", host.daemon.log());
        assert!(other.exists());
        let rules = host.daemon.json(["rules", "disarmed"]);
        assert_eq!((&rules[0]["rule"], &rules[0]["by"]), (&json!(RULE), &json!("admin")), "{rules:?}");
        let here = host.daemon.cli(["rules", "rearm", RULE]);
        assert!(!here.status.success(), "it is armed again at the server: {here:?}");
    }
    let whitelist = site.server.get("/whitelist");
    assert_eq!(whitelist["items"].as_array().map(Vec::len), Some(1), "{whitelist}");
    // A host that enrols later has it too.
    let late = Host::with(&site.server, setup());
    settled(&site.server, &late);
    assert_eq!(late.daemon.json(["rules", "disarmed"])[0]["rule"], RULE);
    let (status, answer) = site.server.call("DELETE", &format!("/disarmed-rules/{RULE}"), None);
    assert_eq!(status, 200, "{answer}");
    for host in hosts.iter().chain([&late]) {
        settled(&site.server, host);
        let again = host.volume.join("again");
        write_executable(&again, &stand_in(2));
        assert!(eventually(Duration::from_secs(20), || !again.exists()), "{}", host.daemon.log());
    }
}
