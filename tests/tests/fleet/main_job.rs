// SPDX-License-Identifier: Apache-2.0
//! The main job over a fleet: a switch in one place, an alarm in another, an isolation, and its undoing.

use crate::{Base, Host, Site, on_both, settled};
use lazaret_kit::proc::{is_refused, run, write_executable};
use lazaret_kit::{bad, eventually};
use lazaret_model::{MalwareClass, TestRating};
use serde_json::{Value, json};
use std::time::Duration;

on_both!(
    a_switch_acts_on_every_host_and_can_be_undone,
    people_handle_what_is_not_acted_on,
    a_policy_group_goes_before_the_project,
);

const SOON: Duration = Duration::from_secs(20);

fn switch(site: &Site, on: bool) {
    let (status, answer) =
        site.server.call("PUT", "/switches/isolate_and_kill", Some(&json!({"project": "0", "on": on})));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["set_by"], "admin");
}

fn about(value: &Value, path: &std::path::Path) -> bool {
    value["path"] == path.to_str().unwrap()
}

fn a_switch_acts_on_every_host_and_can_be_undone(base: Base) {
    let site = Site::new(base);
    let hosts = [Host::new(&site.server), Host::new(&site.server)];
    switch(&site, true);
    for host in &hosts {
        settled(&site.server, host);
        assert_eq!(host.daemon.status()["isolate_and_kill"], true, "{}", host.daemon.log());
    }
    for host in &hosts {
        let path = host.volume.join("tool");
        write_executable(&path, &bad::program("/bin/true", MalwareClass::Worm, TestRating::High));
        assert!(is_refused(&run(&path)) || !path.exists(), "{}", host.daemon.log());
        assert!(eventually(SOON, || !path.exists()), "{}", host.daemon.log());
    }
    for host in &hosts {
        let path = host.volume.join("tool");
        let alarm = site
            .server
            .eventually("/alarms", "an alarm", |a| a["host"]["id"] == host.id.as_str() && about(a, &path));
        assert_eq!(alarm["rating"], "high", "{alarm}");
        assert_eq!(alarm["class"], "worm");
        assert_eq!(alarm["test"], true);
        let file = site.server.eventually("/isolated-files", "an isolated file", |f| {
            f["host"]["id"] == host.id.as_str() && about(f, &path) && f["status"] == "isolated"
        });
        let full = site.server.get(&format!("/alarms/{}", alarm["id"].as_str().unwrap()));
        assert!(!full["alarm"]["verdict"]["evidence"].as_array().unwrap().is_empty(), "{full:#}");
        let ordered = site
            .server
            .post(&format!("/isolated-files/{}/restore", file["id"].as_str().unwrap()), &json!({}));
        let done = site.server.finished(&ordered);
        assert_eq!(done.len(), 1);
        assert_eq!(done[0]["state"], "done", "{done:#?}\n{}", host.daemon.log());
        let lines = done[0]["result"]["receipt"]["lines"].as_array().expect("receipt").clone();
        assert!(lines.iter().any(|l| l["attribute"] == "mode" && l["same"] == true), "{lines:#?}");
        assert!(path.exists());
        assert!(run(&path).is_ok_and(|o| o.status.success()), "{}", host.daemon.log());
        site.server.eventually("/isolated-files", "a restored file", |f| {
            f["id"] == file["id"] && f["status"] == "restored"
        });
    }
    switch(&site, false);
    for host in &hosts {
        assert!(
            eventually(SOON, || host.daemon.status()["isolate_and_kill"] == false),
            "{}",
            host.daemon.log()
        );
    }
}

fn people_handle_what_is_not_acted_on(base: Base) {
    let site = Site::new(base);
    let host = Host::new(&site.server);
    let mut alarms = Vec::new();
    for (n, class) in
        [MalwareClass::Trojan, MalwareClass::Miner, MalwareClass::WebShell].into_iter().enumerate()
    {
        let path = host.volume.join(&format!("f{n}"));
        write_executable(&path, &bad::script(class, TestRating::High));
        alarms.push(site.server.eventually("/alarms", "an alarm", |a| about(a, &path)));
    }
    let handle = |n: usize, verb: &str| {
        let id = alarms[n]["id"].as_str().unwrap();
        let ordered = site.server.post(
            &format!("/alarms/{id}/handle"),
            &json!({"operate_type": verb, "remark": "as the story goes"}),
        );
        let done = site.server.finished(&ordered);
        assert!(done.iter().all(|c| c["state"] == "done"), "{verb}: {done:#?}\n{}", host.daemon.log());
        id.to_owned()
    };
    let status = |id: &str, status: &str, by: &str| {
        site.server.eventually(&format!("/alarms/{id}"), by, |a| {
            let a = &a["summary"];
            a["handle_status"] == status && (status == "unhandled" || a["handled"]["by"] == by)
        });
    };
    let id = handle(0, "mark_as_handled");
    status(&id, "handled", "mark_as_handled");
    handle(0, "unhandle");
    status(&id, "unhandled", "");
    handle(0, "ignore");
    status(&id, "handled", "ignore");
    let id = handle(1, "isolate_and_kill");
    status(&id, "handled", "isolate_and_kill");
    assert!(!host.volume.join("f1").exists());
    handle(1, "do_not_isolate_or_kill");
    assert!(host.volume.join("f1").exists(), "{}", host.daemon.log());
    status(&id, "unhandled", "");
    let id = handle(2, "add_to_alarm_whitelist");
    status(&id, "handled", "add_to_alarm_whitelist");
    let login = site.server.call(
        "POST",
        &format!("/alarms/{id}/handle"),
        Some(&json!({"operate_type": "add_to_login_whitelist"})),
    );
    let text = login.1.to_string();
    assert!(login.0 >= 400 || text.contains("refused"), "{login:?}");
    let history = site.server.get("/alarms/handlings");
    let words: Vec<&str> =
        history["items"].as_array().unwrap().iter().filter_map(|h| h["operate_type"].as_str()).collect();
    for word in ["isolate_and_kill", "ignore", "add_to_alarm_whitelist"] {
        assert!(words.contains(&word), "{word}: {words:?}");
    }
}

fn a_policy_group_goes_before_the_project(base: Base) {
    let site = Site::new(base);
    let host = Host::new(&site.server);
    switch(&site, true);
    settled(&site.server, &host);
    let policy = site.server.post(
        "/policy-groups",
        &json!({"project": "0", "name": "careful", "settings": {"automatic_classes": ["miner"]}}),
    );
    let group = site
        .server
        .post("/host-groups", &json!({"project": "0", "name": "web", "policy_group": policy["id"]}));
    let _ = site.server.post("/hosts/assign", &json!({"hosts": [host.id], "group": group["id"]}));
    let only_miners = || {
        let status = host.daemon.status();
        status["automatic_classes"].as_array().is_some_and(|c| c.len() == 1 && c[0] == "miner")
    };
    assert!(eventually(SOON, only_miners), "{}\n{}", host.daemon.status(), host.daemon.log());
    let (worm, miner) = (host.volume.join("worm"), host.volume.join("miner"));
    write_executable(&worm, &bad::script(MalwareClass::Worm, TestRating::High));
    write_executable(&miner, &bad::script(MalwareClass::Miner, TestRating::High));
    assert!(eventually(SOON, || !miner.exists()), "{}", host.daemon.log());
    site.server.eventually("/alarms", "an alarm", |a| about(a, &worm) && a["decision"] == "alarm");
    assert!(worm.exists());
}
